declare const brand: unique symbol

/** A type that only its own parser can make: a `RequestId` is a string, but no plain string is a `RequestId`. */
export type Brand<Base, Name extends string> = Base & { readonly [brand]: Name }

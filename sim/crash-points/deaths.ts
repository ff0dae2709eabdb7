import type { Death } from './world.ts'

/** Every way to die once in a day that comes to so many moments. */
export function deathsOf(moments: { readonly 'control plane': number; readonly gateway: number }): Death[] {
  const upTo = (count: number): number[] => Array.from({ length: count }, (_, i) => i + 1)
  return [
    ...upTo(moments['control plane']).map((moment): Death => ({ program: 'control plane', moment })),
    ...upTo(moments.gateway).flatMap((moment): Death[] => [
      { program: 'gateway', moment, entryKept: false },
      { program: 'gateway', moment, entryKept: true },
    ]),
  ]
}

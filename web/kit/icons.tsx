import type { ReactNode } from 'react'

function Icon({ children }: { readonly children: ReactNode }) {
  return (
    <svg
      width="16"
      height="16"
      viewBox="0 0 16 16"
      fill="none"
      stroke="currentColor"
      strokeWidth="1.4"
      aria-hidden="true"
    >
      {children}
    </svg>
  )
}

export const icons = {
  noc: (
    <Icon>
      <path d="M1.5 8.5h3l2-5.5 3 10 2-4.5h3" />
    </Icon>
  ),
  quality: (
    <Icon>
      <path d="M8 1.500 13.500 4v4c0 3.200-2.300 5.400-5.500 6.500C4.800 13.400 2.500 11.200 2.500 8V4zM5.500 8l1.800 1.800L10.700 6.200" />
    </Icon>
  ),
  overview: (
    <Icon>
      <path d="M1.5 13.5h13M3.5 11V7.5M6.5 11V3.5M9.5 11V6M12.5 11V2.5" />
    </Icon>
  ),
  requests: (
    <Icon>
      <path d="M2 3.5h12M2 8h8M2 12.5h5M11.5 10.5l2.5 2-2.5 2" />
    </Icon>
  ),
  balance: (
    <Icon>
      <path d="M2 2.5h12v11H2zM2 6h12M5 9h2M5 11h4" />
    </Icon>
  ),
  shop: (
    <Icon>
      <path d="M2.500 6h11l-.8 7.500H3.300zM5.500 6V4.500a2.500 2.500 0 0 1 5 0V6M5.500 9.500h5" />
    </Icon>
  ),
  finance: (
    <Icon>
      <path d="M3 1.500h7.500L13 4v10.500H3zM10.500 1.500V4H13M5.500 7h5M5.500 9.500h5M5.500 12h3" />
    </Icon>
  ),
  keys: (
    <Icon>
      <path d="M8.5 7.5 14 2M11.5 4.5l2 2M6 13a3.2 3.2 0 1 1 0-6.4A3.2 3.2 0 0 1 6 13z" />
    </Icon>
  ),
  services: (
    <Icon>
      <path d="M2 2.5h12v4H2zM2 9.5h12v4H2zM4.5 4.5h1M4.5 11.5h1" />
    </Icon>
  ),
  playground: (
    <Icon>
      <path d="M2 3h12v8H7l-3 2.5V11H2zM5 6h6M5 8.3h3.5" />
    </Icon>
  ),
  books: (
    <Icon>
      <path d="M2 3c2.5-.8 4.5-.5 6 .8v9.7c-1.500-1.200-3.500-1.500-6-.8zM14 3c-2.500-.8-4.500-.5-6 .8M14 3v9.700c-2.500-.7-4.500-.4-6 .8M10.300 8l1 1 1.700-2" />
    </Icon>
  ),
  procurement: (
    <Icon>
      <path d="M2 13.500h12M3.500 13.500V7l3 2V7l3 2V4.500h3v9M6 11.500h1.500M9.500 11.500H11" />
    </Icon>
  ),
  settlement: (
    <Icon>
      <path d="M1.5 5h9M8 2.5 10.5 5 8 7.5M14.5 11h-9M8 8.5 5.500 11 8 13.500" />
    </Icon>
  ),
  menu: (
    <Icon>
      <path d="M2 4h12M2 8h12M2 12h12" />
    </Icon>
  ),
}

/** The mark: a saw-tooth roof over three counters. */
export function Mark({ size = 26 }: { readonly size?: number }) {
  return (
    <svg width={size} height={size} viewBox="0 0 32 32" aria-hidden="true">
      <path d="M4 27V14l8-7v7l8-7v7l8-7v20z" fill="#43c0a6" />
      <path d="M9 20h3.500v7H9zM14.500 20H18v7h-3.500zM20 20h3.500v7H20z" fill="#10201b" />
    </svg>
  )
}

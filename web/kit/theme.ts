import { theme as antd } from 'antd'
import type { ThemeConfig } from 'antd'
import { useSyncExternalStore } from 'react'
import type { TokenClass } from '#kernel'

export type Scheme = 'light' | 'dark'

const darkQuery = window.matchMedia('(prefers-color-scheme: dark)')

/** Follows the system, also while the page is open. */
export function useScheme(): Scheme {
  return useSyncExternalStore(
    (onChange) => {
      darkQuery.addEventListener('change', onChange)
      return () => darkQuery.removeEventListener('change', onChange)
    },
    () => (darkQuery.matches ? 'dark' : 'light'),
  )
}

/** The colours that charts draw with; the same values as the variables in `styles.css`. */
export interface Palette {
  readonly ink: string
  readonly muted: string
  readonly line: string
  readonly surface: string
  readonly accent: string
  readonly money: string
  readonly bad: string
  readonly second: string
  readonly tokens: Readonly<Record<TokenClass, string>>
}

export const palettes: Readonly<Record<Scheme, Palette>> = {
  light: {
    ink: '#18201d',
    muted: '#5f6b66',
    line: '#e3e6e0',
    surface: '#ffffff',
    accent: '#0b6b5d',
    money: '#a8671a',
    bad: '#b3261e',
    second: '#7fb8ab',
    tokens: {
      uncachedInput: '#3d6f94',
      cacheWrite: '#84709f',
      cacheRead: '#a9c6d8',
      output: '#0f7f6d',
      reasoning: '#cf9a3f',
    },
  },
  dark: {
    ink: '#e6ece9',
    muted: '#93a09b',
    line: '#25302c',
    surface: '#151c1a',
    accent: '#43c0a6',
    money: '#dba35a',
    bad: '#f2766d',
    second: '#28705f',
    tokens: {
      uncachedInput: '#6d9fc4',
      cacheWrite: '#a894c4',
      cacheRead: '#39566b',
      output: '#43c0a6',
      reasoning: '#dba35a',
    },
  },
}

const fontFamily = `system-ui, -apple-system, 'Segoe UI', 'PingFang SC', 'Microsoft YaHei', 'Noto Sans SC', 'Noto Sans CJK SC', 'WenQuanYi Micro Hei', sans-serif`

/** antd's tokens in our own dress: dense, square, petrol on paper by day and on ink by night. */
export function antdTheme(scheme: Scheme): ThemeConfig {
  const dark = scheme === 'dark'
  const palette = palettes[scheme]
  return {
    algorithm: dark ? antd.darkAlgorithm : antd.defaultAlgorithm,
    token: {
      fontFamily,
      fontSize: 13,
      borderRadius: 3,
      wireframe: false,
      motionDurationMid: '0.12s',
      motionDurationSlow: '0.18s',
      controlHeight: 32,
      colorPrimary: dark ? '#217d6b' : '#0b6b5d',
      colorInfo: dark ? '#217d6b' : '#0b6b5d',
      colorLink: palette.accent,
      colorError: dark ? '#cf4a41' : '#b3261e',
      colorWarning: palette.money,
      colorSuccess: dark ? '#4fb57d' : '#1d7a46',
      colorTextBase: palette.ink,
      colorTextPlaceholder: dark ? '#7d8a85' : '#717c77',
      colorBgBase: palette.surface,
      // The dark algorithm would tint raised surfaces by itself; ours are the neutrals of the style sheet.
      colorBgContainer: dark ? '#101715' : '#ffffff',
      colorBgElevated: dark ? '#1a2220' : '#ffffff',
      colorBgLayout: dark ? '#0e1312' : '#f3f4f1',
      colorBorder: dark ? '#3a4742' : '#c9cec6',
      colorBorderSecondary: palette.line,
      controlOutlineWidth: 2,
      boxShadow: 'none',
      boxShadowTertiary: 'none',
    },
    components: {
      Button: { primaryShadow: 'none', defaultShadow: 'none', dangerShadow: 'none', fontWeight: 500 },
      Segmented: {
        trackPadding: 2,
        trackBg: dark ? '#0e1312' : '#eceeea',
        itemSelectedBg: dark ? '#26302d' : palette.surface,
        itemColor: palette.muted,
      },
      Form: { itemMarginBottom: 14, verticalLabelPadding: '0 0 4px', labelColor: dark ? '#b1bcb7' : '#4a5651' },
      Drawer: { paddingLG: 20 },
      Modal: { titleFontSize: 15 },
    },
  }
}

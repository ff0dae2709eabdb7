import { existsSync } from 'node:fs'
import { chromium } from 'playwright-core'
import type { Browser } from 'playwright-core'

/** The system's own browser; nothing is downloaded. */
const CANDIDATES = [
  '/usr/bin/chromium',
  '/usr/bin/chromium-browser',
  '/usr/bin/google-chrome',
  '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
]

export const browserPath = process.env['CHROMIUM_PATH'] || CANDIDATES.find((path) => existsSync(path))

/** Headless, quiet on the network, with a fresh profile that is thrown away. */
export function launchBrowser(): Promise<Browser> {
  if (browserPath === undefined) throw new Error('No Chromium is installed; install one or set CHROMIUM_PATH')
  return chromium.launch({
    executablePath: browserPath,
    args: [
      '--headless',
      '--no-sandbox',
      '--disable-gpu',
      '--disable-quic',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
    ],
  })
}

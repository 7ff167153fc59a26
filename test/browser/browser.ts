import { existsSync } from 'node:fs'
import { chromium, type BrowserContextOptions, type Page } from 'playwright-core'
import type { Cleaner } from '../build-app.ts'

const candidates = [
  process.env.CHROMIUM_PATH ?? '',
  '/usr/bin/chromium',
  '/usr/bin/chromium-browser',
  '/usr/bin/google-chrome'
]

/** The path of the browser on this machine; undefined if there is none. */
const chromiumPath = candidates.find((path) => path !== '' && existsSync(path))

/** The `skip` option of browser tests: the reason, or false where a browser is installed. */
export const skip =
  chromiumPath === undefined ? 'Chromium is not installed. Run apt-get install chromium, or set CHROMIUM_PATH.' : false

/** Keeps the browser from contacting its vendor, which a test would mistake for requests by the page. */
const quiet = [
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  '--disable-gpu',
  '--no-sandbox'
]

/** Runs in the page before its own scripts. */
const reportViolations = `addEventListener('securitypolicyviolation', (event) =>
  reportViolation(event.effectiveDirective + ' ' + event.blockedURI + ' ' + event.sample))`

/** Everything that must not happen on a page. */
export interface Faults {
  /** URLs on other hosts that the page requested. */
  foreignRequests: string[]
  /** Uncaught errors of its scripts. */
  errors: string[]
  /** What its Content-Security-Policy blocked. */
  violations: string[]
}

export const noFaults: Faults = { foreignRequests: [], errors: [], violations: [] }

export interface OpenPage {
  page: Page
  faults: Faults
}

/** Opens a page with an empty profile, such as one of a phone. */
export type OpenInBrowser = (url: string, path: string, profile?: BrowserContextOptions) => Promise<OpenPage>

/** A profile of a phone whose system is dark. */
export const darkPhone: BrowserContextOptions = {
  viewport: { width: 390, height: 844 },
  isMobile: true,
  hasTouch: true,
  colorScheme: 'dark'
}

/** The pixels by which the page is wider than the screen. */
export const overflowOf = async (page: Page): Promise<number> =>
  await page.evaluate<number>(
    'Math.max(0, document.scrollingElement.scrollWidth - innerWidth, innerWidth - screen.width)'
  )

/** Starts the browser, which closes after the tests. */
export const startBrowser = async (t: Cleaner): Promise<OpenInBrowser> => {
  const browser = await chromium.launch({ executablePath: chromiumPath, headless: true, args: quiet })
  t.teardown(() => browser.close())
  return async (url, path, profile) => {
    const page = await (await browser.newContext(profile)).newPage()
    const faults: Faults = { foreignRequests: [], errors: [], violations: [] }
    page.on('request', (request) => {
      if (/^(https?|wss?):/.test(request.url()) && !request.url().startsWith(`${url}/`))
        faults.foreignRequests.push(request.url())
    })
    page.on('pageerror', (error) => faults.errors.push(error.message))
    await page.exposeFunction('reportViolation', (violation: string) => faults.violations.push(violation))
    await page.addInitScript(reportViolations)
    await page.goto(url + path)
    return { page, faults }
  }
}

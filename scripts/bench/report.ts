import type { Measured } from './load.ts'

export interface Row {
  name: string
  connections: number
  product: Measured
  /** In the order of `floors`; the last ones are missing where there is nothing to compare. */
  floors: Measured[]
}

const floors = ['(a) bare JSON', '(b) same SQL by hand', '(b′) named and together', '(c) pgbench']

export interface GrowthRow {
  name: string
  p50Ms: number[]
}

const whole = (value: number): string => Math.round(value).toLocaleString('en')
const times = ({ p50Ms, p99Ms }: Measured): string => `${p50Ms.toFixed(2)} / ${p99Ms.toFixed(2)}`
const ratio = (product: Measured, floor: Measured): string => (product.perSecond / floor.perSecond).toFixed(2)

const table = (head: string[], rows: string[][]): string =>
  [head, head.map((_, i) => (i === 0 ? '---' : '---:')), ...rows].map((cells) => `| ${cells.join(' | ')} |`).join('\n')

export const reportSpeed = (rows: Row[]): string =>
  table(
    ['operation', 'connections', 'requests a second', 'p50 / p99, ms', ...floors.flatMap((floor) => [floor, 'ratio'])],
    rows.map(({ name, connections, product, floors: seen }) => [
      name,
      String(connections),
      whole(product.perSecond),
      times(product),
      ...floors.flatMap((_floor, at) => {
        const floor = seen[at]
        return floor === undefined ? ['', ''] : [whole(floor.perSecond), ratio(product, floor)]
      })
    ])
  )

export const reportGrowth = (history: number[], rows: GrowthRow[]): string =>
  table(
    ['operation', ...history.map((count) => `p50 at ${whole(count)} rows, ms`), 'last to first'],
    rows.map(({ name, p50Ms }) => [
      name,
      ...p50Ms.map((ms) => ms.toFixed(2)),
      ((p50Ms.at(-1) ?? 0) / (p50Ms[0] ?? 1)).toFixed(2)
    ])
  )

/** A small seeded generator (sfc32, Chris Doty-Humphrey's PractRand), for reproducible benchmarks. */
export class SeededRandom {
  private a = 0x9e3779b9
  private b = 0x243f6a88
  private c = 0xb7e15162
  private counter = 1

  constructor(readonly seed: number) {
    this.a ^= seed | 0
    for (let round = 0; round < 16; round++) this.next()
  }

  /** Uniform in [0, 1). */
  next(): number {
    const sum = (this.a + this.b + this.counter++) | 0
    this.a = this.b ^ (this.b >>> 9)
    this.b = (this.c + (this.c << 3)) | 0
    this.c = ((this.c << 21) | (this.c >>> 11)) + sum
    return (sum >>> 0) / 4_294_967_296
  }

  uniform(low: number, high: number): number {
    return low + (high - low) * this.next()
  }

  /** Both ends included. */
  integer(low: number, high: number): number {
    return low + Math.floor(this.next() * (high - low + 1))
  }

  chance(probability: number): boolean {
    return this.next() < probability
  }

  pick<T>(items: readonly T[]): T {
    const item = items[Math.floor(this.next() * items.length)]
    if (item === undefined) throw new RangeError('the list is empty')
    return item
  }

  /** Standard normal (Box and Muller). */
  normal(): number {
    return Math.sqrt(-2 * Math.log(1 - this.next())) * Math.cos(2 * Math.PI * this.next())
  }

  /** Log-normal with mean 1. */
  logNormal(sigma: number): number {
    return Math.exp(sigma * this.normal() - (sigma * sigma) / 2)
  }

  /** Poisson count (Knuth), for small rates. */
  count(rate: number): number {
    const floor = Math.exp(-rate)
    let count = 0
    for (let product = this.next(); product > floor; product *= this.next()) count++
    return count
  }

  code(length: number): string {
    let code = ''
    while (code.length < length) code += this.pick([...'ABCDEFGHJKLMNPQRSTUVWXYZ23456789'])
    return code
  }
}

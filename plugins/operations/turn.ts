/**
 * Gathers what becomes ready in one turn of the event loop, and carries it out at its end, one right after the other.
 * @param carryOut throws nothing
 */
export const atEndOfTurn = <Item>(carryOut: (item: Item) => void): ((item: Item) => void) => {
  let waiting: Item[] = []
  const carryOutAll = (): void => {
    const ready = waiting
    waiting = []
    ready.forEach(carryOut)
  }
  return (item) => {
    if (waiting.push(item) === 1) setImmediate(carryOutAll)
  }
}

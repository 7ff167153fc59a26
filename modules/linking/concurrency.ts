/**
 * Maps inputs with at most `limit` calls in progress, keeping their order.
 * @throws the first failure, once all calls have ended.
 */
export const mapConcurrent = async <Input, Output>(
  inputs: Input[],
  limit: number,
  work: (input: Input) => Promise<Output>
): Promise<Output[]> => {
  const outputs: Output[] = new Array<Output>(inputs.length)
  const rest = inputs.entries()
  const worker = async () => {
    for (const [index, input] of rest) outputs[index] = await work(input)
  }
  const results = await Promise.allSettled(Array.from({ length: Math.min(limit, inputs.length) }, worker))
  for (const result of results) if (result.status === 'rejected') throw result.reason
  return outputs
}

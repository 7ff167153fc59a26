/** Maps `inputs` with at most `width` of them under way; answers in their order. The first failure is thrown once the others have ended. */
export const mapBounded = async <Input, Output>(
  inputs: Input[],
  width: number,
  work: (input: Input) => Promise<Output>
): Promise<Output[]> => {
  const outputs: Output[] = new Array<Output>(inputs.length)
  const rest = inputs.entries()
  const worker = async () => {
    for (const [index, input] of rest) outputs[index] = await work(input)
  }
  const ended = await Promise.allSettled(Array.from({ length: Math.min(width, inputs.length) }, worker))
  for (const end of ended) if (end.status === 'rejected') throw end.reason
  return outputs
}

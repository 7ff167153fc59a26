import type { Bundle } from '../bundle.ts'
import { clientMethods } from '../methods.ts'
import { curlSample } from './curl.ts'
import { pythonSample } from './python.ts'
import { sampleCall } from './sample-call.ts'
import { typescriptSample } from './typescript.ts'

/** Adds `x-codeSamples` to every operation, made of its examples; the reference shows them beside it. Changes the document. */
export function addCodeSamples(bundle: Bundle): void {
  for (const method of clientMethods(bundle)) {
    const call = sampleCall(bundle, method)
    method.operation['x-codeSamples'] = [
      { lang: 'Shell', label: 'curl', source: curlSample(call) },
      { lang: 'TypeScript', label: 'TypeScript', source: typescriptSample(call) },
      { lang: 'Python', label: 'Python', source: pythonSample(call) }
    ]
  }
}

import type { Bundle } from '../model.ts'
import { clientMethods } from '../methods.ts'
import { curlSample } from './curl.ts'
import { pythonSample } from './python.ts'
import { sampleCall } from './sample-call.ts'
import { typescriptSample } from './typescript.ts'

/** Adds `x-codeSamples` to every operation, made from its examples. Changes the document in place. */
export const addCodeSamples = (bundle: Bundle): void => {
  for (const method of clientMethods(bundle)) {
    const call = sampleCall(bundle, method)
    method.operation['x-codeSamples'] = [
      { lang: 'Shell', label: 'curl', source: curlSample(call) },
      { lang: 'TypeScript', label: 'TypeScript', source: typescriptSample(call) },
      { lang: 'Python', label: 'Python', source: pythonSample(call) }
    ]
  }
}

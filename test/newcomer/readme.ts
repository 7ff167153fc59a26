/** A section of a Markdown document: its heading and its `sh` blocks. */
export interface Section {
  heading: string
  blocks: string[]
}

/** The sections of a Markdown document, in order. */
export const sectionsOf = (markdown: string): Section[] =>
  markdown
    .split(/^## /m)
    .slice(1)
    .map((text) => ({
      heading: text.split('\n', 1)[0] ?? '',
      blocks: [...text.matchAll(/^```sh\n(.*?)^```$/gms)].map(([, block]) => block ?? '')
    }))

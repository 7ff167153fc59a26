export const print = (content: unknown): string => `${JSON.stringify(content, null, 2)}\n`

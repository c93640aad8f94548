// What a text for the first start is, as cloud-init reads it: by its first line.

/** Most bytes of a text that has our own part beside it, and of one that stands alone: what the backend takes. */
export const BESIDE_MOST = 20 * 1024;
export const ALONE_MOST = 32 * 1024;

export type TextKind = 'config' | 'script' | 'boothook' | 'unknown';

export function textKind(text: string): TextKind {
  const first = (text.split('\n', 1)[0] ?? '').trimEnd();
  if (first === '#cloud-config') return 'config';
  if (first === '#cloud-boothook') return 'boothook';
  return first.startsWith('#!') ? 'script' : 'unknown';
}

const encoder = new TextEncoder();
export const bytes = (text: string): number => encoder.encode(text).length;

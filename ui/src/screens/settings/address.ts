// What the interface makes of the address of an HEI receiver. The backend checks it again and has the last word.

export type Address = 'empty' | 'wrong' | 'secure' | 'plain-loopback' | 'plain';

export function addressKind(text: string): Address {
  const trimmed = text.trim();
  if (trimmed === '') return 'empty';
  let url: URL;
  try {
    url = new URL(trimmed);
  } catch {
    return 'wrong';
  }
  if (url.protocol === 'https:') return 'secure';
  if (url.protocol !== 'http:') return 'wrong';
  const host = url.hostname.replace(/^\[|\]$/g, '');
  const loopback = host === 'localhost' || host === '::1' || /^127\.\d+\.\d+\.\d+$/.test(host);
  return loopback ? 'plain-loopback' : 'plain';
}

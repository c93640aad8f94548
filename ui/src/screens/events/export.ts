// Events as files that other programs read.
import type { Event } from '../../host/generated';

/** Each event as it is sent, one a line, oldest first. */
export const ndjson = (events: readonly Event[]): string =>
  [...events]
    .reverse()
    .map(({ json }) => `${json}\n`)
    .join('');

const COLUMNS = ['seq', 'time', 'action', 'outcome', 'serverName', 'owner', 'opId', 'delivered', 'eventId'] as const;

/** A cell by RFC 4180. A text that a spreadsheet would take for a formula gets an apostrophe before it. */
function cell(value: string | number | boolean | null): string {
  if (typeof value !== 'string') return value === null ? '' : String(value);
  const inert = /^[=+\-@\t\r]/.test(value) ? `'${value}` : value;
  return /[",\r\n]/.test(inert) ? `"${inert.replaceAll('"', '""')}"` : inert;
}

/** What the table shows, oldest first, with a line of headings. */
export const csv = (events: readonly Event[]): string =>
  [COLUMNS.join(','), ...[...events].reverse().map((event) => COLUMNS.map((column) => cell(event[column])).join(','))]
    .map((line) => `${line}\r\n`)
    .join('');

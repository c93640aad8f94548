// The events screen shows the newest pages of the ledger and follows it: new events appear, and waiting ones turn delivered.
import type { Event, EventPage } from '../../host/generated';
import type { Host } from '../../host/host';

export const PAGE = 50;

/** How far back one look for changes goes; older events that were still waiting are read again when they are loaded. */
const PAGES_AT_MOST = 6;

export type Loaded = { events: Event[]; more: boolean };

/** Puts a page into what is loaded: newest first, each event once, the page's state of it winning. */
export function merge(loaded: Loaded | null, page: EventPage, before: number | null): Loaded {
  const bySeq = new Map((loaded?.events ?? []).map((event) => [event.seq, event]));
  for (const event of page.events) bySeq.set(event.seq, event);
  const events = [...bySeq.values()].sort((a, b) => b.seq - a.seq);
  // Only a page that reaches further back than what is loaded says whether there is more behind it.
  const oldest = page.events.at(-1)?.seq;
  const reaches =
    loaded === null || before !== null || oldest === undefined || oldest <= (events.at(-1)?.seq ?? oldest);
  return { events, more: reaches ? page.more : loaded.more };
}

/** Reads the newest events again, as far back as loaded ones may have changed. */
export async function refresh(host: Host, loaded: Loaded | null): Promise<Loaded> {
  const oldestWaiting = loaded?.events.findLast((event) => !event.delivered)?.seq ?? Infinity;
  const newest = loaded?.events[0]?.seq ?? Infinity;
  const until = Math.min(oldestWaiting, newest);
  let result = loaded;
  let before: number | null = null;
  for (let pages = 0; pages < PAGES_AT_MOST; pages += 1) {
    const page: EventPage = await host.events.list({ before, limit: PAGE });
    const oldest: number | undefined = page.events.at(-1)?.seq;
    // After a long absence the newest pages may not reach what is loaded: then start afresh rather than show a gap.
    if (pages === PAGES_AT_MOST - 1 && oldest !== undefined && oldest > newest) return merge(null, page, null);
    result = merge(result, page, before);
    if (!page.more || oldest === undefined || oldest <= until || loaded === null) break;
    before = oldest;
  }
  return result ?? { events: [], more: false };
}

// When a lease may end: the limits of the cloud's `auto_terminate_time`, checked here so that nobody has to ask it to learn them.
import { moment } from '../../words/format';
import { m } from '../../words/words.svelte';

const MINUTE = 60_000;

/** The earliest end worth asking for: the cloud's 30 minutes and two for the way there, in whole minutes as it keeps them. */
export const earliestEnd = (now: number): number => Math.ceil(now / MINUTE) * MINUTE + 32 * MINUTE;

/** The latest end the cloud takes: the last minute before three years are over. */
export function latestEnd(now: number): number {
  const end = new Date(now);
  end.setFullYear(end.getFullYear() + 3);
  return Math.ceil(end.getTime() / MINUTE) * MINUTE - MINUTE;
}

/** What is wrong with this end of a lease, in words; null when nothing is. */
export function leaseFault(until: number | null, now: number): string | null {
  if (until === null) return m.moment_wrong();
  const earliest = earliestEnd(now);
  if (until < earliest) return m.moment_too_early({ moment: moment(earliest, now) });
  const latest = latestEnd(now);
  return until > latest ? m.moment_too_late({ moment: moment(latest, now) }) : null;
}

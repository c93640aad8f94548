// What deletions of several servers would leave: looked up a few at a time while the question stands.
import type { Deletion, Money } from '../../host/generated';
import type { AppState } from '../../state.svelte';
import { money } from '../../words/format';
import { m } from '../../words/words.svelte';

/** So many are looked up at once: each takes the cloud some questions, and it takes only so many of them a minute. */
const AT_ONCE = 4;

export class Stays {
  /** By server id; null: it could not be looked up. */
  #found = $state.raw<ReadonlyMap<string, Deletion | null>>(new Map());
  readonly #asked: ReadonlySet<string>;

  constructor(servers: readonly string[]) {
    this.#asked = new Set(servers);
  }

  /** Looks them up; `halted` is looked at before each. */
  async look(app: AppState, halted: () => boolean): Promise<void> {
    const queue = this.#asked.values();
    const line = async () => {
      for (const server of queue) {
        if (halted()) return;
        const deletion = await app.host.servers.deletion({ server }).catch(() => null);
        this.#found = new Map(this.#found).set(server, deletion);
      }
    };
    await Promise.all(Array.from({ length: AT_ONCE }, line));
  }

  /** What stays of one, in words; null for one that was not asked about. */
  of(server: string): string | null {
    const deletion = this.#found.get(server);
    if (deletion === undefined) return this.#asked.has(server) ? m.bulk_stays_looking() : null;
    if (deletion === null) return m.bulk_stays_unknown();
    const stays = deletion.parts.filter(({ goes }) => !goes).length;
    if (stays === 0) return m.bulk_stays_none();
    return deletion.staysPerMonth
      ? m.bulk_stays_cost({ count: stays, price: m.per_month({ price: money(deletion.staysPerMonth) }) })
      : m.bulk_stays({ count: stays });
  }

  /** How many are looked up; null once all are. */
  looked(): { done: number; total: number } | null {
    const [done, total] = [this.#found.size, this.#asked.size];
    return done < total ? { done, total } : null;
  }

  /** Those of which it could not be found out. */
  unknown(): number {
    return [...this.#found.values()].filter((one) => one === null).length;
  }

  /** What all that is known to stay costs a month, once everything is looked up; null: nothing, or it is not known. */
  sum(): Money | null {
    if (this.looked() !== null) return null;
    const prices = [...this.#found.values()].flatMap((one) => (one?.staysPerMonth ? [one.staysPerMonth] : []));
    const currency = prices[0]?.currency;
    if (currency === undefined || prices.some((price) => price.currency !== currency)) return null;
    return { amount: prices.reduce((sum, { amount }) => sum + Number(amount), 0).toFixed(2), currency };
  }
}

// What deletions of several servers would leave: looked up one after the other while the question stands.
import type { Deletion, Money } from '../../host/generated';
import type { AppState } from '../../state.svelte';
import { money } from '../../words/format';
import { m } from '../../words/words.svelte';

/** So many are looked up; each takes the cloud some questions. */
const AT_MOST = 20;

export class Stays {
  /** By server id; null: it could not be looked up. */
  #found = $state.raw<ReadonlyMap<string, Deletion | null>>(new Map());
  readonly #asked: readonly string[];
  readonly #all: number;

  constructor(servers: readonly string[]) {
    this.#asked = servers.slice(0, AT_MOST);
    this.#all = servers.length;
  }

  /** Looks them up; `halted` is looked at before each. */
  async look(app: AppState, halted: () => boolean): Promise<void> {
    for (const server of this.#asked) {
      if (halted()) return;
      const deletion = await app.host.servers.deletion({ server }).catch(() => null);
      this.#found = new Map(this.#found).set(server, deletion);
    }
  }

  /** What stays of one, in words; null while it is not known yet, or is not looked up at all. */
  of(server: string): string | null {
    const deletion = this.#found.get(server);
    if (deletion === undefined) return this.#asked.includes(server) ? m.bulk_stays_looking() : null;
    if (deletion === null) return m.bulk_stays_unknown();
    const stays = deletion.parts.filter(({ goes }) => !goes).length;
    if (stays === 0) return m.bulk_stays_none();
    return deletion.staysPerMonth
      ? m.bulk_stays_cost({ count: stays, price: m.per_month({ price: money(deletion.staysPerMonth) }) })
      : m.bulk_stays({ count: stays });
  }

  /** What all that stays costs a month, once everything is looked up; null: nothing, or it is not known. */
  sum(): Money | null {
    if (this.#found.size < this.#all) return null;
    const prices = [...this.#found.values()].flatMap((one) => (one?.staysPerMonth ? [one.staysPerMonth] : []));
    const currency = prices[0]?.currency;
    if (currency === undefined || prices.some((price) => price.currency !== currency)) return null;
    return { amount: prices.reduce((sum, { amount }) => sum + Number(amount), 0).toFixed(2), currency };
  }
}

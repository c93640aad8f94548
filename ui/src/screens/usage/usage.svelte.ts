// What the usage screen is about: which part of it, which question, and how one came there.
import { now } from '../../clock.svelte';
import type { UsageChoices, UsageCut, UsageRow, UsageServer } from '../../host/generated';
import { quoted, visible } from '../../words/format';
import { m } from '../../words/words.svelte';
import { dayName, monthName } from './numbers';
import {
  ALL,
  beginOf,
  dayOf,
  daysOf,
  keepAsked,
  keptAsked,
  LISTS,
  monthDays,
  type Asked,
  type Days,
  type List,
  type Period,
} from './period';
import { periodWord } from './words';

export type Part = 'overview' | 'servers' | 'waste' | 'forecast' | 'bill' | 'sources';

/** A server that is looked at, as far as the list that it was chosen from knows it. */
export type Picked = Pick<UsageRow, 'server' | 'name' | 'owner' | 'ownerId' | 'began' | 'ended' | 'assumedEnd'> &
  Partial<UsageServer>;

export class Usage {
  part = $state<Part>('overview');
  asked = $state.raw<Asked>(keptAsked());
  /** The questions before, from the widest on. */
  trail = $state.raw<readonly Asked[]>([]);
  picked = $state.raw<Picked | null>(null);
  choices = $state.raw<UsageChoices | null>(null);
  /** The clock goes on every second; what follows from the day does not. */
  readonly #today = $derived(dayOf(now()));
  /** The days that are asked about. */
  readonly days: Days = $derived(daysOf(this.asked.period, beginOf(this.#today)));

  /** The same question once more: something that it is answered from is new. */
  again(): void {
    this.asked = { ...this.asked };
  }

  /** Another question, from the beginning. */
  ask(asked: Asked): void {
    this.#take(asked);
    this.trail = [];
  }

  /** A question inside the one before. */
  into(asked: Partial<Asked>, part: Part = this.part): void {
    this.trail = [...this.trail, this.asked].slice(-8);
    this.#take({ ...this.asked, ...asked });
    this.part = part;
  }

  /** Back to one of the questions before. */
  back(nth: number): void {
    const asked = this.trail[nth];
    if (!asked) return;
    this.trail = this.trail.slice(0, nth);
    this.#take(asked);
  }

  only(list: List, words: readonly string[]): void {
    this.ask({ ...this.asked, cut: { ...this.asked.cut, [list]: words } });
  }

  clear(): void {
    this.ask({ ...this.asked, cut: ALL });
  }

  /** A month, as `2026-11`, of the days that are asked about. */
  intoMonth(month: string): void {
    const [whole, days] = [monthDays(month), this.days];
    const from = whole.from < days.from ? days.from : whole.from;
    const to = whole.to > days.to ? days.to : whole.to;
    if (from === days.from && to === days.to) this.part = 'servers';
    else this.into({ period: { name: 'days', from, to } });
  }

  intoDay(day: string): void {
    this.into({ period: { name: 'days', from: day, to: day } }, 'servers');
  }

  intoWord(list: List, word: string): void {
    const cut: UsageCut = { ...this.asked.cut, [list]: [word] };
    this.into({ cut }, list === 'owners' ? 'servers' : this.part);
  }

  #take(asked: Asked): void {
    this.asked = asked;
    this.picked = null;
    keepAsked(asked);
  }

  /** What a word of a list is called. */
  nameOf(list: List, word: string): string {
    if (word === '') return m.usage_none();
    if (list !== 'owners') return visible(word);
    return visible(this.choices?.owners.find(([id]) => id === word)?.[1] ?? word);
  }

  /** A question in a few words. */
  name(asked: Asked): string {
    const words = LISTS.flatMap((list) => {
      const chosen = asked.cut[list];
      if (chosen.length === 0) return [];
      return chosen.length === 1
        ? [quoted(this.nameOf(list, chosen[0] ?? ''))]
        : [m.usage_several({ count: chosen.length })];
    });
    return [periodName(asked.period), ...words].join(' · ');
  }
}

/** A period in a few words. */
export const periodName = (period: Period): string =>
  period.name === 'days' ? daysName(period) : periodWord[period.name]();

/** Days in a few words: a month, one day, or from when to when. */
export function daysName({ from, to }: Days): string {
  const month = from.slice(0, 7);
  const whole = monthDays(month);
  if (whole.from === from && whole.to === to) return monthName(month);
  if (from === to) return dayName(from, true);
  return `${dayName(from, true)} – ${dayName(to, true)}`;
}

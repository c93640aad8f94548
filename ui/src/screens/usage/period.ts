// Which days the usage summary is about. The cloud bills by days of Asia/Shanghai, which keeps one offset the whole year.
import type { UsageCut } from '../../host/generated';
import { keep, kept } from '../../kept';

const SHANGHAI_MS = 8 * 3_600_000;
const DAY_MS = 86_400_000;

/** The periods that can be chosen by name, in the order in which they are offered. */
export const PERIODS = [
  'month',
  'last_month',
  'today',
  'days_7',
  'days_30',
  'quarter',
  'last_quarter',
  'months_12',
  'months_24',
  'days',
] as const;
export type PeriodName = (typeof PERIODS)[number];

/** Days, both included, as `2026-11-30`. */
export type Days = { from: string; to: string };

/** A period by name; `days` says which ones itself. */
export type Period = { name: Exclude<PeriodName, 'days'> } | ({ name: 'days' } & Days);

/** What is asked: which days, and which part of them. */
export type Asked = { period: Period; cut: UsageCut };

export const ALL: UsageCut = { owners: [], flavors: [], regions: [], purposes: [], templates: [], currency: null };

/** The lists of a cut that a person chooses from. */
export const LISTS = ['owners', 'flavors', 'regions', 'purposes', 'templates'] as const;
export type List = (typeof LISTS)[number];

export const isCut = (cut: UsageCut): boolean => LISTS.some((list) => cut[list].length > 0);

/** The day of a moment. */
export const dayOf = (at: number): string => new Date(at + SHANGHAI_MS).toISOString().slice(0, 10);

const parts = (day: string): [number, number, number] => {
  const [year = 1970, month = 1, date = 1] = day.split('-').map(Number);
  return [year, month - 1, date];
};
const made = (year: number, month: number, date: number): string =>
  new Date(Date.UTC(year, month, date)).toISOString().slice(0, 10);

/** So many days later. */
export function later(day: string, days: number): string {
  const [year, month, date] = parts(day);
  return made(year, month, date + days);
}

/** How many days these are. */
export const length = ({ from, to }: Days): number => Math.round((Date.parse(to) - Date.parse(from)) / DAY_MS) + 1;

/** First and last day of a month, as `2026-11`. */
export function monthDays(month: string): Days {
  const [year, number] = parts(`${month}-01`);
  return { from: made(year, number, 1), to: made(year, number + 1, 0) };
}

/** The months that these days lie in, as `2026-11`. */
export function monthsOf({ from, to }: Days): string[] {
  const [year, month] = parts(from);
  const [lastYear, lastMonth] = parts(to);
  const count = Math.max(0, (lastYear - year) * 12 + lastMonth - month) + 1;
  return Array.from({ length: count }, (_, nth) => made(year, month + nth, 1).slice(0, 7));
}

/** The first moment of a day, in milliseconds. */
export const beginOf = (day: string): number => Date.parse(`${day}T00:00:00Z`) - SHANGHAI_MS;

/** A day that exists, as the summary takes it. */
export function readDay(text: string): string | null {
  const found = /^\s*(\d{4})[-/.](\d{1,2})[-/.](\d{1,2})\s*$/.exec(text);
  if (!found) return null;
  const [year, month, date] = [Number(found[1]), Number(found[2]), Number(found[3])];
  const day = made(year, month - 1, date);
  return year >= 2000 && day === `${found[1]}-${String(month).padStart(2, '0')}-${String(date).padStart(2, '0')}`
    ? day
    : null;
}

/** The days that a period is, today. */
export function daysOf(period: Period, now: number): Days {
  const today = dayOf(now);
  const [year, month] = parts(today);
  const quarter = Math.floor(month / 3) * 3;
  switch (period.name) {
    case 'days':
      return { from: period.from, to: period.to };
    case 'today':
      return { from: today, to: today };
    case 'month':
      return { from: made(year, month, 1), to: today };
    case 'last_month':
      return { from: made(year, month - 1, 1), to: made(year, month, 0) };
    case 'days_7':
      return { from: later(today, -6), to: today };
    case 'days_30':
      return { from: later(today, -29), to: today };
    case 'quarter':
      return { from: made(year, quarter, 1), to: today };
    case 'last_quarter':
      return { from: made(year, quarter - 3, 1), to: made(year, quarter, 0) };
    case 'months_12':
      return { from: made(year, month - 11, 1), to: today };
    case 'months_24':
      return { from: made(year, month - 23, 1), to: today };
  }
}

const NAME = 'usage.asked';
const WORDS_MOST = 200;

/** What was asked last, each part of it that still means something. */
export function keptAsked(): Asked {
  const usual: Asked = { period: { name: 'month' }, cut: ALL };
  const found = kept(NAME);
  if (typeof found !== 'object' || found === null) return usual;
  const { period, cut } = found as { period?: unknown; cut?: unknown };
  return { period: readPeriod(period) ?? usual.period, cut: readCut(cut) };
}

export const keepAsked = (asked: Asked): void => keep(NAME, asked);

function readPeriod(value: unknown): Period | null {
  if (typeof value !== 'object' || value === null) return null;
  const { name, from, to } = value as Record<string, unknown>;
  if (name === 'days') {
    const days = { from: readDay(String(from)), to: readDay(String(to)) };
    return days.from !== null && days.to !== null && days.from <= days.to
      ? { name, from: days.from, to: days.to }
      : null;
  }
  return PERIODS.includes(name as PeriodName) ? { name: name as Exclude<PeriodName, 'days'> } : null;
}

function readCut(value: unknown): UsageCut {
  if (typeof value !== 'object' || value === null) return ALL;
  const words = (list: unknown): string[] =>
    Array.isArray(list) ? list.filter((word) => typeof word === 'string').slice(0, WORDS_MOST) : [];
  const found = value as Partial<Record<List, unknown>>;
  const lists = Object.fromEntries(LISTS.map((list) => [list, words(found[list])])) as Record<List, string[]>;
  return { ...lists, currency: null };
}

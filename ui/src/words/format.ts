// Times, durations, sizes and money as a reader sees them: in their language and zone, never rounded to a lie.
import type { Money } from '../host/generated';
import { locale, m } from './words.svelte';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

const formats = new Map<string, Intl.DateTimeFormat>();

function format(options: Intl.DateTimeFormatOptions, at: number): string {
  const key = `${locale()} ${JSON.stringify(options)}`;
  let made = formats.get(key);
  if (!made) formats.set(key, (made = new Intl.DateTimeFormat(locale(), { hourCycle: 'h23', ...options })));
  return made.format(at);
}

/** `1.5 MiB`: what a file has, in the units that `ls -h` counts in. */
export function bytes(count: number): string {
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB'];
  const power = Math.min(units.length - 1, Math.max(0, Math.floor(Math.log2(Math.max(1, count)) / 10)));
  const value = count / 1024 ** power;
  const digits = power > 0 && value < 10 ? 1 : 0;
  return `${value.toLocaleString(locale(), { maximumFractionDigits: digits })} ${units[power]}`;
}

/** Milliseconds of an RFC 3339 time; null when it is absent or no time at all. */
export function instant(text: string | null): number | null {
  if (text === null) return null;
  const at = Date.parse(text);
  return Number.isNaN(at) ? null : at;
}

/** `18:00` */
export const clockTime = (at: number): string => format({ hour: '2-digit', minute: '2-digit' }, at);

/** `14:05:31`, for the age of data */
export const exactTime = (at: number): string => format({ hour: '2-digit', minute: '2-digit', second: '2-digit' }, at);

/** The whole moment with its seconds and zone, for tooltips and details: `Nov 24, 2025, 18:00:00 GMT+8`. */
export function fullMoment(at: number): string {
  const date = format({ year: 'numeric', month: 'short', day: 'numeric' }, at);
  return `${m.moment_day({ date, time: exactTime(at) })} ${offset(at)}`;
}

const offset = (at: number): string =>
  new Intl.DateTimeFormat(locale(), { timeZoneName: 'shortOffset' })
    .formatToParts(at)
    .find((part) => part.type === 'timeZoneName')?.value ?? '';

function dayNumber(at: number): number {
  const day = new Date(at);
  return Math.round(Date.UTC(day.getFullYear(), day.getMonth(), day.getDate()) / DAY);
}

/** `18:00 today`, `09:30 tomorrow`, `Nov 26, 18:00`: absolute, and as short as it can be without doubt. */
export function moment(at: number, now: number): string {
  const time = clockTime(at);
  switch (dayNumber(at) - dayNumber(now)) {
    case 0:
      return m.moment_today({ time });
    case 1:
      return m.moment_tomorrow({ time });
    case -1:
      return m.moment_yesterday({ time });
  }
  const sameYear = new Date(at).getFullYear() === new Date(now).getFullYear();
  const date = format({ month: 'short', day: 'numeric', ...(sameYear ? {} : { year: 'numeric' }) }, at);
  return m.moment_day({ date, time });
}

/** `2 d 4 h`, `3 h 12 min`, `12 min`: two units at most, rounded down, so that nothing seems to last longer than it does. */
export function duration(milliseconds: number): string {
  const length = Math.max(0, milliseconds);
  const days = Math.floor(length / DAY);
  const hours = Math.floor((length % DAY) / HOUR);
  const minutes = Math.floor((length % HOUR) / MINUTE);
  if (days > 0) return hours > 0 ? m.duration_days_hours({ days, hours }) : m.duration_days({ days });
  if (hours > 0) return minutes > 0 ? m.duration_hours_minutes({ hours, minutes }) : m.duration_hours({ hours });
  return m.duration_minutes({ minutes });
}

/** How long an operation took or takes: with seconds while it is short. */
export function elapsed(milliseconds: number): string {
  const total = Math.max(0, Math.floor(milliseconds / 1000));
  if (total < 60) return m.duration_seconds({ seconds: total });
  if (total < 3600) return m.duration_minutes_seconds({ minutes: Math.floor(total / 60), seconds: total % 60 });
  return duration(milliseconds);
}

/** `in 3 h 12 min`, or how long ago it was. */
export function remaining(at: number, now: number): string {
  const left = at - now;
  if (left >= MINUTE) return m.remaining({ duration: duration(left) });
  if (left >= 0) return m.remaining_under_a_minute();
  if (left > -MINUTE) return m.remaining_past_under_a_minute();
  return m.remaining_past({ duration: duration(-left) });
}

/** How soon something ends, as a colour says it. */
export type Urgency = 'past' | 'now' | 'soon' | 'later';

/** Under 30 minutes is `now`, under two hours `soon`. */
export function urgency(at: number, now: number): Urgency {
  const left = at - now;
  if (left < 0) return 'past';
  if (left < HOUR / 2) return 'now';
  return left < 2 * HOUR ? 'soon' : 'later';
}

const numberFormats = new Map<string, Intl.NumberFormat>();

/** Making one takes longer than all that a row of a list shows. */
function numbers(name: string, options: Intl.NumberFormatOptions): Intl.NumberFormat {
  const key = `${locale()} ${name}`;
  let made = numberFormats.get(key);
  if (!made) numberFormats.set(key, (made = new Intl.NumberFormat(locale(), options)));
  return made;
}

/** `¥0.45`: two places at least, four at most. An amount that is no decimal number is shown as it came. */
export function money({ amount, currency }: Money): string {
  const value = Number(amount);
  if (amount.trim() === '' || !Number.isFinite(value)) return `${amount} ${currency}`;
  try {
    return numbers(currency, {
      style: 'currency',
      currency,
      currencyDisplay: 'narrowSymbol',
      minimumFractionDigits: 2,
      maximumFractionDigits: 4,
    }).format(value);
  } catch {
    return `${amount} ${currency}`;
  }
}

/** How much more (or less) one price is than another: `+¥0.12`, `−¥0.05`; null when they are not in one currency. */
export function difference(then: Money, now: Money): string | null {
  const more = Number(then.amount) - Number(now.amount);
  if (then.currency !== now.currency || !Number.isFinite(more)) return null;
  return signed({ amount: more.toFixed(6), currency: then.currency });
}

/** Money with its sign in front, also when it is more: `+¥0.12`; `±¥0.00` when it is nothing. */
export function signed({ amount, currency }: Money): string {
  const value = Number(amount);
  if (!Number.isFinite(value)) return money({ amount, currency });
  const sign = Math.abs(value) < 0.00005 ? '±' : value < 0 ? '−' : '+';
  return sign + money({ amount: String(Math.abs(value)), currency });
}

/** A whole number as a person types it; null when it is none. */
export const wholeNumber = (text: string): number | null => (/^\s*\d{1,9}\s*$/.test(text) ? Number(text) : null);

/** `40 GB`, `32,768 GB`: the cloud counts disks in units of 1024³ bytes and calls them GB. */
export const gigabytes = (size: number): string => m.gigabytes({ size: size.toLocaleString(locale()) });

/** `2 vCPU · 4 GiB`; null when the cloud did not say both. */
export function size(vcpus: number | null, ramMb: number | null): string | null {
  if (vcpus === null || ramMb === null) return null;
  const ram = numbers('ram', { maximumFractionDigits: 1 }).format(ramMb / 1024);
  return m.size({ vcpus, ram });
}

/** The reader's zone, `Asia/Shanghai (GMT+8)`. */
export function zone(now: number): string {
  const name = Intl.DateTimeFormat().resolvedOptions().timeZone;
  return `${name} (${offset(now)})`;
}

/** `2026-01-31` and `18:00` in the reader's zone, as {@link readMoment} reads them. */
export function writeMoment(at: number): { date: string; time: string } {
  const day = new Date(at);
  const two = (value: number) => String(value).padStart(2, '0');
  return {
    date: `${day.getFullYear()}-${two(day.getMonth() + 1)}-${two(day.getDate())}`,
    time: `${two(day.getHours())}:${two(day.getMinutes())}`,
  };
}

/** Reads a date and a time typed by a person; null unless both are complete and exist. */
export function readMoment(date: string, time: string): number | null {
  const day = /^\s*(\d{4})[-/.](\d{1,2})[-/.](\d{1,2})\s*$/.exec(date);
  const clock = /^\s*(\d{1,2})[:\uff1a](\d{2})\s*$/.exec(time);
  if (!day || !clock) return null;
  const [year, month, date_, hour, minute] = [day[1], day[2], day[3], clock[1], clock[2]].map(Number) as [
    number,
    number,
    number,
    number,
    number,
  ];
  const at = new Date(year, month - 1, date_, hour, minute);
  const real =
    at.getFullYear() === year &&
    at.getMonth() === month - 1 &&
    at.getDate() === date_ &&
    hour < 24 &&
    minute < 60 &&
    at.getMinutes() === minute;
  return real ? at.getTime() : null;
}

// Controls, and the marks with which text can show itself in another order than it is in.
// eslint-disable-next-line no-control-regex -- control characters are exactly what is meant
const INVISIBLE = /[\u0000-\u001f\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/g;

/**
 * Foreign text on one line as it really is: what would be invisible, or would turn other characters round, is shown as
 * a replacement character. Right-to-left scripts need none of it and stay as they are. Belongs in a `bdi`.
 */
export const visible = (text: string): string => text.replace(INVISIBLE, '\ufffd');

/** The same inside one of our sentences, isolated so that its direction does not spread. */
export const quoted = (text: string): string => `\u2068${visible(text)}\u2069`;

// Figures of the summary as people read them. They come as decimal texts and add up there; here they are only shown.
import { locale, m } from '../../words/words.svelte';

const formats = new Map<string, Intl.NumberFormat>();

function format(name: string, options: Intl.NumberFormatOptions): Intl.NumberFormat {
  const key = `${locale()} ${name}`;
  let made = formats.get(key);
  if (!made) formats.set(key, (made = new Intl.NumberFormat(locale(), options)));
  return made;
}

/** A decimal text for drawing; what is no number draws as nothing. */
export const number = (text: string): number => {
  const value = Number(text);
  return Number.isFinite(value) ? value : 0;
};

/** An amount to the cent: `¥1,234.56`. Without a currency there is no money. */
export function amount(value: string | number, currency: string): string {
  if (currency === '') return '–';
  const options = { style: 'currency', currency, currencyDisplay: 'narrowSymbol' } as const;
  try {
    return format(`cents ${currency}`, { ...options, minimumFractionDigits: 2, maximumFractionDigits: 2 }).format(
      Number(value),
    );
  } catch {
    return `${value} ${currency}`;
  }
}

/** The same with its sign in front, also when it is more: `+¥0.12`. */
export function signedAmount(value: string, currency: string): string {
  const sign = Math.abs(Number(value)) < 0.005 ? '±' : Number(value) < 0 ? '−' : '+';
  return sign + amount(Math.abs(Number(value)), currency);
}

/** The same for an axis: `¥1.2K`. */
export function briefAmount(value: number, currency: string): string {
  const options = { style: 'currency', currency, currencyDisplay: 'narrowSymbol', notation: 'compact' } as const;
  try {
    return format(`brief ${currency}`, { ...options, maximumFractionDigits: 1, minimumFractionDigits: 0 }).format(
      value,
    );
  } catch {
    return brief(value);
  }
}

/** A count for an axis: `1.2K`. */
export const brief = (value: number): string =>
  format('brief', { notation: 'compact', maximumFractionDigits: 1 }).format(value);

/** A whole number with its separators. */
export const whole = (value: string | number): string =>
  format('whole', { maximumFractionDigits: 0 }).format(Number(value));

/** To one place: `1,234.5`. */
export const tenths = (value: string | number): string =>
  format('tenths', { maximumFractionDigits: 1 }).format(Number(value));

/** Hours: `1,234.5 h`. */
export const hours = (value: string | number): string => m.usage_hours({ count: tenths(value) });

/** A percentage that is one already: `12.5 %`. */
export const percent = (value: string | number): string =>
  format('percent', { style: 'percent', maximumFractionDigits: 1 }).format(Number(value) / 100);

/** How a figure compares with the one before: `+12%`; null where there was nothing before. */
export function change(now: string | number, before: string | number): string | null {
  const [is, was] = [Number(now), Number(before)];
  if (!(was > 0)) return null;
  return format('change', { style: 'percent', maximumFractionDigits: 1, signDisplay: 'exceptZero' }).format(
    (is - was) / was,
  );
}

/** Part of the whole, for drawing and for reading. */
export const share = (part: string | number, all: string | number): number =>
  Number(all) > 0 ? Math.min(1, Math.max(0, Number(part) / Number(all))) : 0;

/** `Nov 2026` of `2026-11`. */
export function monthName(month: string): string {
  const key = `month ${locale()}`;
  let made = dates.get(key);
  if (!made) {
    const options = { year: 'numeric', month: 'short', timeZone: 'UTC' } as const;
    dates.set(key, (made = new Intl.DateTimeFormat(locale(), options)));
  }
  return made.format(Date.parse(`${month}-01T00:00:00Z`));
}

/** `Nov 30` of `2026-11-30`; with its year where that is asked for. */
export function dayName(day: string, year = false): string {
  const key = `day ${locale()} ${year}`;
  let made = dates.get(key);
  if (!made) {
    const options: Intl.DateTimeFormatOptions = { month: 'short', day: 'numeric', timeZone: 'UTC' };
    if (year) options.year = 'numeric';
    dates.set(key, (made = new Intl.DateTimeFormat(locale(), options)));
  }
  return made.format(Date.parse(`${day}T00:00:00Z`));
}

/** `Mon`, from Monday (0) on. */
export function weekday(index: number): string {
  const key = `weekday ${locale()}`;
  let made = dates.get(key);
  if (!made) dates.set(key, (made = new Intl.DateTimeFormat(locale(), { weekday: 'short', timeZone: 'UTC' })));
  // 1 January 2024 was a Monday.
  return made.format(Date.UTC(2024, 0, 1 + index));
}

const dates = new Map<string, Intl.DateTimeFormat>();

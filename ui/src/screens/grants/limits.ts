// What a grant limits, in words, and amounts with their units.
import type { GrantUse, Limit, Quota } from '../../host/generated';
import { instant, fullMoment } from '../../words/format';
import { locale, m } from '../../words/words.svelte';

export const limitWord: Record<Limit, () => string> = {
  servers: m.limit_servers,
  vcpus: m.limit_vcpus,
  disk_gb: m.limit_disk_gb,
  disk_gb_each: m.limit_disk_gb_each,
  lease_hours: m.limit_lease_hours,
  life_hours: m.limit_life_hours,
  until: m.limit_until,
  extensions: m.limit_extensions,
  hours_month: m.limit_hours_month,
  money_month: m.limit_money_month,
  flavor: m.limit_flavor,
  region: m.limit_region,
  public_address: m.limit_public_address,
};

/** An amount of a limit as it is read: with its unit, in the reader's digits. */
export function amount(limit: Limit, value: string, currency: string | null): string {
  const digits = limit === 'money_month' ? 2 : 1;
  const number = Number(value).toLocaleString(locale(), { maximumFractionDigits: digits });
  switch (limit) {
    case 'disk_gb':
    case 'disk_gb_each':
      return m.amount_gb({ number });
    case 'lease_hours':
    case 'life_hours':
    case 'hours_month':
      return m.amount_hours({ number });
    case 'money_month':
      return currency === null ? number : m.amount_money({ number, currency });
    default:
      return number;
  }
}

/** The limits that are no bar: what is allowed at all. */
export function rules(quota: Quota, currency: string | null): { limit: Limit; value: string }[] {
  const number = (limit: Limit, value: number | undefined) =>
    value === undefined ? [] : [{ limit, value: amount(limit, String(value), currency) }];
  const flavors = [...(quota.flavors ?? []), ...(quota.families ?? []).map((family) => `${family}.*`)];
  const until = instant(quota.until ?? null);
  return [
    ...number('disk_gb_each', quota.diskGbEach),
    ...number('lease_hours', quota.leaseHours),
    ...number('life_hours', quota.lifeHours),
    ...(until === null ? [] : [{ limit: 'until' as const, value: fullMoment(until) }]),
    ...number('extensions', quota.extensions),
    ...(quota.flavors || quota.families ? [{ limit: 'flavor' as const, value: flavors.join(', ') }] : []),
    ...(quota.regions ? [{ limit: 'region' as const, value: quota.regions.join(', ') }] : []),
    ...(quota.publicAddress === undefined
      ? []
      : [{ limit: 'public_address' as const, value: quota.publicAddress ? m.allowed() : m.not_allowed() }]),
  ];
}

/** What is left of a limit after what is asked for; below zero when it goes over. */
export const left = ({ max, used, wish }: GrantUse): number => Number(max) - Number(used) - Number(wish);

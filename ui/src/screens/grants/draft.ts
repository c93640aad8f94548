// A grant that is being written: texts of a form to limits and back, and what differs from the one that was signed.
import type { Grant, Quota } from '../../host/generated';

/** The limits that are a whole number. */
export const counts = [
  'servers',
  'vcpus',
  'diskGb',
  'diskGbEach',
  'leaseHours',
  'lifeHours',
  'extensions',
  'hoursMonth',
] as const;

/** One quota as a form has it: every limit a text, an empty one no limit. */
export type Texts = Record<(typeof counts)[number] | 'moneyMonth' | 'flavors' | 'regions', string> & {
  publicAddress: boolean;
};

/** The parts of a text between commas; a part may have spaces in it. */
export const words = (text: string): string[] =>
  text
    .split(/[,，]+/)
    .map((one) => one.trim())
    .filter((one) => one !== '');

const list = (text: string): string[] =>
  text
    .split(/[\s,，]+/)
    .map((one) => one.trim())
    .filter((one) => one !== '');

export function textsOf(quota: Quota): Texts {
  const number = (value: number | undefined) => (value === undefined ? '' : String(value));
  const families = (quota.families ?? []).map((family) => `${family}.*`);
  return {
    servers: number(quota.servers),
    vcpus: number(quota.vcpus),
    diskGb: number(quota.diskGb),
    diskGbEach: number(quota.diskGbEach),
    leaseHours: number(quota.leaseHours),
    lifeHours: number(quota.lifeHours),
    extensions: number(quota.extensions),
    hoursMonth: number(quota.hoursMonth),
    moneyMonth: quota.moneyMonth ?? '',
    flavors: [...(quota.flavors ?? []), ...families].join(', '),
    regions: (quota.regions ?? []).join(', '),
    publicAddress: quota.publicAddress !== false,
  };
}

/** Whether a text can be that limit. */
export const fits = (key: keyof Texts, text: string): boolean => {
  if (key === 'flavors' || key === 'regions' || text.trim() === '') return true;
  if (key === 'moneyMonth') return /^\d{1,12}(\.\d{1,6})?$/.test(text.trim());
  return /^\d{1,9}$/.test(text.trim());
};

/** What the form does not show (`before`) stays. */
export function quotaOf(texts: Texts, before: Quota): Quota {
  // A family's own writing is a beginning of a name, too, and needs no list beside the one of flavors.
  const quota: Quota = before.until === undefined ? {} : { until: before.until };
  for (const key of counts) {
    const text = texts[key].trim();
    if (text !== '') quota[key] = Number(text);
  }
  if (texts.moneyMonth.trim() !== '') quota.moneyMonth = texts.moneyMonth.trim();
  // An empty list allows none, which the form cannot say: it stays, since no list at all would allow everything.
  for (const key of ['flavors', 'regions'] as const) {
    const words = list(texts[key]);
    if (words.length > 0 || before[key]?.length === 0) quota[key] = words;
  }
  if (!texts.publicAddress) quota.publicAddress = false;
  return quota;
}

export type Difference = { path: string; before: string | null; after: string | null };

/** Rows of lists go by what names them, so that one more of them is one difference. */
const named = (row: unknown, index: number): string => {
  const { id, owner } = (row ?? {}) as { id?: string; owner?: string };
  return id ?? (owner === undefined ? String(index) : `${owner} ${index}`);
};

function flat(value: unknown, path: string, into: Map<string, string>): void {
  if (Array.isArray(value) && value.some((row) => typeof row === 'object')) {
    value.forEach((row, index) => flat(row, `${path} › ${named(row, index)}`, into));
  } else if (typeof value === 'object' && value !== null && !Array.isArray(value)) {
    for (const [key, one] of Object.entries(value)) flat(one, path === '' ? key : `${path} › ${key}`, into);
  } else if (value !== undefined) {
    into.set(path, Array.isArray(value) ? value.join(', ') : String(value));
  }
}

/** What differs between two grants, but for number and times, which differ always. */
export function differences(before: Grant | null, after: Grant): Difference[] {
  const [old, now] = [new Map<string, string>(), new Map<string, string>()];
  if (before !== null) flat(before, '', old);
  flat(after, '', now);
  return [...new Set([...old.keys(), ...now.keys()])]
    .filter((path) => !['number', 'issued', 'expires', 'schema'].includes(path))
    .filter((path) => old.get(path) !== now.get(path))
    .map((path) => ({ path, before: old.get(path) ?? null, after: now.get(path) ?? null }));
}

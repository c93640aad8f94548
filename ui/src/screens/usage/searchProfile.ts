// The fields of a site's own way of being asked, as text in a form and back. They are nested; a field is named by its path.
// What is no text, number, choice or list of texts is written as JSON. What the backend says of a field is the last word.

export type Profile = Record<string, unknown>;
export type Kind = 'text' | 'number' | 'flag' | 'list' | 'json' | readonly string[];
export type Field = { path: string; kind: Kind };
/** What stands in the form, by path. A flag is `true` or empty. */
export type Texts = Record<string, string>;

/** Said beside the profile, and on the form above it. */
const ELSEWHERE = ['event_set', 'allow_plain_http'];

const CHOICES: Record<string, readonly string[]> = {
  mode: ['job', 'sync'],
  'submit.method': ['GET', 'POST', 'PUT', 'DELETE'],
  'poll.method': ['GET', 'POST', 'PUT', 'DELETE'],
  'results.method': ['GET', 'POST', 'PUT', 'DELETE'],
  'cancel.method': ['GET', 'POST', 'PUT', 'DELETE'],
  'results.row_shape': ['objects', 'arrays', 'objects_or_arrays'],
  bound: ['rfc3339_ms', 'epoch_us', 'epoch_ms', 'epoch_s'],
};

const isTable = (value: unknown): value is Profile =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

function kindOf(path: string, value: unknown): Kind {
  // A choice that the backend does not know any more may still stand there.
  const choices = CHOICES[path];
  if (choices && typeof value === 'string') return choices.includes(value) ? choices : [...choices, value];
  if (typeof value === 'number') return 'number';
  if (typeof value === 'boolean') return 'flag';
  if (typeof value === 'string') return 'text';
  if (Array.isArray(value) && value.every((one) => typeof one === 'string')) return 'list';
  return 'json';
}

/** Tables that are walked into; others are one field of JSON. */
const WALKED = ['submit', 'poll', 'results', 'cancel', 'results.page'];

/** Every field, in the order in which the backend names them. */
export function fieldsOf(profile: Profile, under = ''): Field[] {
  return Object.entries(profile).flatMap(([key, value]): Field[] => {
    const path = under === '' ? key : `${under}.${key}`;
    if (ELSEWHERE.includes(path)) return [];
    if (WALKED.includes(path) && isTable(value)) return fieldsOf(value, path);
    return [{ path, kind: kindOf(path, value) }];
  });
}

function at(profile: Profile, path: string): unknown {
  return path
    .split('.')
    .reduce<unknown>((value, key) => (isTable(value) && Object.hasOwn(value, key) ? value[key] : undefined), profile);
}

function write(value: unknown, kind: Kind): string {
  if (kind === 'json') return value === null || value === undefined ? '' : JSON.stringify(value, null, 1);
  if (kind === 'list' && Array.isArray(value)) return value.join(', ');
  return value === false || value === undefined || value === null ? '' : String(value);
}

export const textsOf = (profile: Profile): Texts =>
  Object.fromEntries(fieldsOf(profile).map(({ path, kind }) => [path, write(at(profile, path), kind)]));

/** The value that a text means; undefined when it is none of this kind. */
function read(text: string, kind: Kind): unknown {
  if (typeof kind !== 'string') return kind.includes(text) ? text : undefined;
  switch (kind) {
    case 'text':
      return text;
    case 'flag':
      return text === 'true';
    case 'number':
      return /^\s*\d{1,15}\s*$/.test(text) ? Number(text) : undefined;
    case 'list':
      return text
        .split(/[,，\n]/)
        .map((part) => part.trim())
        .filter((part) => part !== '');
    case 'json':
      if (text.trim() === '') return null;
      try {
        return JSON.parse(text) as unknown;
      } catch {
        return undefined;
      }
  }
}

/** The paths whose text is no value of its field. */
export const wrong = (texts: Texts, profile: Profile): ReadonlySet<string> =>
  new Set(
    fieldsOf(profile)
      .filter(({ path, kind }) => read(texts[path] ?? '', kind) === undefined)
      .map(({ path }) => path),
  );

/** The profile that the texts mean. */
export function profileOf(texts: Texts, profile: Profile): Profile {
  const made: Profile = {};
  for (const { path, kind } of fieldsOf(profile)) {
    const value = read(texts[path] ?? '', kind);
    if (value === undefined) continue;
    const keys = path.split('.');
    const last = keys.pop() ?? '';
    let table = made;
    for (const key of keys) {
      const next = Object.hasOwn(table, key) && isTable(table[key]) ? (table[key] as Profile) : {};
      table[key] = next;
      table = next;
    }
    table[last] = value;
  }
  return made;
}

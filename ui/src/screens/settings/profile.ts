// The fields of a way of speaking (`custom`), as text in a form and back. What the backend says of a field is the last
// word; here only what is no value of its kind at all is caught.
import { m } from '../../words/words.svelte';

export type Kind = 'text' | 'number' | 'numbers' | 'flag' | 'table' | 'lines' | readonly string[];
export type Field = { path: string; word: () => string; kind: Kind };
export type Group = { id: string; word: () => string; fields: readonly Field[] };

const field = (path: string, word: () => string, kind: Kind = 'text'): Field => ({ path, word, kind });

export const GROUPS: readonly Group[] = [
  {
    id: 'request',
    word: m.hei_group_request,
    fields: [
      field('path', m.hei_f_path),
      field('method', m.hei_f_method, ['POST', 'PUT']),
      field('hei_id', m.hei_f_hei_id),
      field('hei_name', m.hei_f_hei_name),
      field('query', m.hei_f_query, 'table'),
      field('headers', m.hei_f_headers, 'table'),
      field('content_type', m.hei_f_content_type),
      field('compression', m.hei_f_compression, ['none', 'gzip']),
      field('timeout_ms', m.hei_f_timeout, 'number'),
    ],
  },
  {
    id: 'token',
    word: m.hei_group_token,
    fields: [field('token_header', m.hei_f_token_header), field('token_value', m.hei_f_token_value)],
  },
  {
    id: 'body',
    word: m.hei_group_body,
    fields: [
      field('framing', m.hei_f_framing, ['json_array', 'json_object', 'ndjson', 'text_lines', 'hec_concat']),
      field('message_mode', m.hei_f_message_mode, ['json_text', 'object', 'omit']),
      field('routing', m.hei_f_routing, ['body', 'header', 'path', 'none']),
      field('time_format', m.hei_f_time_format, [
        'rfc3339_ms',
        'epoch_us',
        'epoch_ms',
        'epoch_s',
        'epoch_s_fraction',
        'zero',
      ]),
      field('source', m.hei_f_source),
      field('host', m.hei_f_host),
      field('extra_fields', m.hei_f_extra_fields, 'table'),
      field('spread', m.hei_f_spread, 'flag'),
    ],
  },
  {
    id: 'fields',
    word: m.hei_group_fields,
    fields: [
      field('message_field', m.hei_f_message_field),
      field('datatype_field', m.hei_f_datatype_field),
      field('event_set_field', m.hei_f_event_set_field),
      field('time_field', m.hei_f_time_field),
      field('source_field', m.hei_f_source_field),
      field('host_field', m.hei_f_host_field),
    ],
  },
  {
    id: 'success',
    word: m.hei_group_success,
    fields: [
      field('success', m.hei_f_success, 'numbers'),
      field('success_pointer', m.hei_f_success_pointer),
      field('success_equals', m.hei_f_success_equals),
    ],
  },
  {
    id: 'batches',
    word: m.hei_group_batches,
    fields: [
      field('limits.events', m.hei_f_limit_events, 'number'),
      field('limits.bytes', m.hei_f_limit_bytes, 'number'),
      field('limits.wait_ms', m.hei_f_limit_wait, 'number'),
    ],
  },
  {
    id: 'retry',
    word: m.hei_group_retry,
    fields: [
      field('retry.statuses', m.hei_f_retry_statuses, 'numbers'),
      field('retry.base_ms', m.hei_f_retry_base, 'number'),
      field('retry.max_ms', m.hei_f_retry_max, 'number'),
      field('retry.jitter', m.hei_f_retry_jitter, 'flag'),
      field('retry.honour_retry_after', m.hei_f_retry_after, 'flag'),
    ],
  },
  {
    id: 'health',
    word: m.hei_group_health,
    fields: [
      field('health_path', m.hei_f_health_path),
      field('health_status', m.hei_f_health_status, 'number'),
      field('health_body', m.hei_f_health_body),
    ],
  },
  { id: 'tls', word: m.hei_group_tls, fields: [field('ca_pem', m.hei_f_ca, 'lines')] },
];

const FIELDS = GROUPS.flatMap(({ fields }) => fields);

export type Profile = Record<string, unknown>;
/** What stands in the form, by path. A flag is `true` or empty. */
export type Texts = Record<string, string>;

const isTable = (value: unknown): value is Profile =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

function at(profile: Profile, path: string): unknown {
  return path
    .split('.')
    .reduce<unknown>((value, key) => (isTable(value) && Object.hasOwn(value, key) ? value[key] : undefined), profile);
}

function write(value: unknown): string {
  if (value === undefined || value === null || value === false) return '';
  if (Array.isArray(value)) return value.join(', ');
  if (isTable(value))
    return Object.entries(value)
      .map(([key, one]) => `${key} = ${String(one)}`)
      .join('\n');
  return String(value);
}

export const textsOf = (profile: Profile): Texts =>
  Object.fromEntries(FIELDS.map(({ path }) => [path, write(at(profile, path))]));

const NUMBER = /^\d{1,15}$/;

/** The value that a text means; undefined when it is none of this kind. */
function read(text: string, kind: Kind): unknown {
  const trimmed = text.trim();
  if (typeof kind !== 'string') return kind.includes(text) ? text : undefined;
  switch (kind) {
    case 'text':
    case 'lines':
      return text;
    case 'flag':
      return text === 'true';
    case 'number':
      return NUMBER.test(trimmed) ? Number(trimmed) : undefined;
    case 'numbers': {
      const parts = trimmed === '' ? [] : trimmed.split(/[\s,，]+/).filter((part) => part !== '');
      return parts.every((part) => NUMBER.test(part)) ? parts.map(Number) : undefined;
    }
    case 'table': {
      const lines = text.split('\n').filter((line) => line.trim() !== '');
      const entries = lines.map((line) => /^\s*([^=]+?)\s*=\s?(.*)$/.exec(line));
      return entries.every((entry) => entry !== null)
        ? Object.fromEntries(entries.map((entry) => [entry?.[1] ?? '', (entry?.[2] ?? '').trimEnd()]))
        : undefined;
    }
  }
}

/** The paths whose text is no value of its field. One the backend did not name may stay empty. */
export const wrong = (texts: Texts, before: Profile): ReadonlySet<string> =>
  new Set(
    FIELDS.filter(
      ({ path, kind }) =>
        read(texts[path] ?? '', kind) === undefined && !(texts[path] === '' && at(before, path) === undefined),
    ).map(({ path }) => path),
  );

/** The profile that the texts mean: what was changed, and what stood there before. */
export function profileOf(texts: Texts, before: Profile): Profile {
  const profile: Profile = {};
  for (const { path, kind } of FIELDS) {
    const old = at(before, path);
    const text = texts[path] ?? '';
    const value = text === write(old) ? old : read(text, kind);
    if (value === undefined) continue;
    const [head = '', tail] = path.split('.');
    if (tail === undefined) profile[head] = value;
    else profile[head] = { ...(isTable(profile[head]) ? profile[head] : {}), [tail]: value };
  }
  return profile;
}

import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import * as format from '../src/words/format';
import { resolveLanguage, setLanguage } from '../src/words/words.svelte';
import { NOW } from './setup';
import { open, part, text } from './open';

const root = join(import.meta.dirname, '..');
const read = (language: string): Record<string, string> => {
  const messages = JSON.parse(readFileSync(join(root, `src/words/${language}.json`), 'utf8')) as Record<string, string>;
  delete messages['$schema'];
  return messages;
};
const en = read('en');
const zh = read('zh-CN');

const sources = readdirSync(join(root, 'src'), { recursive: true, encoding: 'utf8' })
  .filter((path) => /\.(svelte|ts)$/.test(path) && !path.includes('compiled'))
  .map((path) => ({ path, source: readFileSync(join(root, 'src', path), 'utf8') }));

describe('the messages', () => {
  it('are the same in both languages', () => {
    expect(Object.keys(zh)).toEqual(Object.keys(en));
  });

  it('have the same blanks in both languages', () => {
    const blanks = (message: string) => [...message.matchAll(/\{(\w+)\}/g)].map((match) => match[1]).sort();
    for (const [key, message] of Object.entries(en)) expect(blanks(zh[key] ?? ''), key).toEqual(blanks(message));
  });

  it('are all used', () => {
    const all = sources.map(({ source }) => source).join('\n');
    const used = new Set([...all.matchAll(/\bm\.(\w+)/g)].map((match) => match[1]));
    expect(Object.keys(en).filter((key) => !used.has(key))).toEqual([]);
  });

  it('are Chinese in Chinese', () => {
    // Names of products and units stand as they are.
    const same = Object.keys(en).filter(
      (key) => en[key] === zh[key] && /[a-z]{3}/i.test(en[key]?.replace(/\{\w+\}/g, '') ?? ''),
    );
    expect(same.sort()).toEqual([
      'create_mbps',
      'environment_docker',
      'environment_java',
      'environment_node',
      'environment_python',
      'settings_hei_test_status',
      'size',
    ]);
  });

  it('are the only words: no component has text of its own', () => {
    for (const { path, source } of sources.filter(({ path }) => path.endsWith('.svelte'))) {
      const markup = source
        .replace(/<(script|style)[\s\S]*?<\/\1>|<!--[\s\S]*?-->/g, '')
        // Languages are called by their own names.
        .replace(/<option value="(zh-CN|en)"[\s\S]*?<\/option>/g, '');
      const words = [...markup.matchAll(/>([^<>{}]*\p{L}{2,}[^<>{}]*)</gu)]
        .map((match) => match[1]?.trim())
        // Code between tags, such as `event.preventDefault(); void submit();`.
        .filter((found) => found && !/[=;()]/.test(found));
      expect(words, path).toEqual([]);
      const attributes = [...markup.matchAll(/\s(title|aria-label|alt)="([^"{]*\p{L}[^"]*)"/gu)].map(
        (match) => match[0],
      );
      expect(attributes, path).toEqual([]);
    }
  });
});

describe('times', () => {
  beforeEach(() => setLanguage('en'));

  const at = (text: string) => Date.parse(text);

  it.each([
    ['2025-11-24T10:00:00Z', '18:00 today', '今天 18:00'],
    ['2025-11-24T16:30:00Z', '00:30 tomorrow', '明天 00:30'],
    ['2025-11-23T15:59:00Z', '23:59 yesterday', '昨天 23:59'],
    ['2025-11-26T10:00:00Z', 'Nov 26, 18:00', '11月26日 18:00'],
    ['2026-01-02T10:00:00Z', 'Jan 2, 2026, 18:00', '2026年1月2日 18:00'],
  ])('%s is shown as an absolute moment in the zone of the reader', (moment, english, chinese) => {
    expect(format.moment(at(moment), NOW)).toBe(english);
    setLanguage('zh-CN');
    expect(format.moment(at(moment), NOW)).toBe(chinese);
  });

  it.each([
    [2 * 86_400_000 + 4 * 3_600_000 + 59 * 60_000, 'in 2 d 4 h'],
    [3 * 3_600_000 + 12 * 60_000, 'in 3 h 12 min'],
    [59 * 60_000 + 59_999, 'in 59 min'],
    [59_000, 'in less than a minute'],
    [-59_000, 'just now'],
    [-3_600_000, '1 h ago'],
  ])('what remains is never rounded up: %i ms', (left, words) => {
    expect(format.remaining(NOW + left, NOW)).toBe(words);
  });

  it('colours what ends soon', () => {
    const after = (minutes: number) => format.urgency(NOW + minutes * 60_000, NOW);
    expect([after(-1), after(29), after(119), after(121)]).toEqual(['past', 'now', 'soon', 'later']);
  });

  it('reads back what it writes, and nothing that does not exist', () => {
    const { date, time } = format.writeMoment(NOW);
    expect([date, time]).toEqual(['2025-11-24', '14:30']);
    expect(format.readMoment(date, time)).toBe(NOW);
    expect(format.readMoment('2025/11/24', '9:05')).toBe(at('2025-11-24T01:05:00Z'));
    for (const [day, clock] of [
      ['2025-02-30', '10:00'],
      ['2025-11-24', '24:00'],
      ['2025-11-24', '10:60'],
      ['24.11.2025', '10:00'],
      ['', ''],
    ] as const) {
      expect(format.readMoment(day, clock), `${day} ${clock}`).toBeNull();
    }
  });

  it('shows money with its currency, and an amount that is none as it came', () => {
    expect(format.money({ amount: '0.2530', currency: 'CNY' })).toBe('¥0.253');
    expect(format.money({ amount: '12', currency: 'CNY' })).toBe('¥12.00');
    expect(format.money({ amount: 'free', currency: 'CNY' })).toBe('free CNY');
    expect(format.money({ amount: '1', currency: '??' })).toBe('1 ??');
  });
});

it.each([
  ['system', ['zh-Hans-CN', 'en'], 'zh-CN'],
  ['system', ['fr', 'en-GB'], 'en'],
  ['system', [], 'en'],
  ['en', ['zh-CN'], 'en'],
] as const)('the language follows the setting, then the system: %s %j', (setting, preferred, shown) => {
  expect(resolveLanguage(setting, preferred)).toBe(shown);
});

it('changes language and theme at once, without a restart', async () => {
  const { user } = await open();
  await user.click(await part('nav-settings'));
  await user.selectOptions(await part('settings-language'), 'zh-CN');
  expect(text(await part('nav-servers'))).toBe('云服务器');
  expect(document.documentElement.lang).toBe('zh-CN');
  await user.selectOptions(await part('settings-theme'), 'dark');
  expect(document.documentElement.dataset['theme']).toBe('dark');
});

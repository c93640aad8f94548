import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';

const source = readFileSync(join(import.meta.dirname, '../src/look/tokens.css'), 'utf8');

function tokens(theme: 'light' | 'dark'): Map<string, string> {
  const block = source.slice(source.indexOf(`[data-theme='${theme}'] {`)).split('\n}')[0] ?? '';
  return new Map([...block.matchAll(/--([\w-]+): (#[0-9a-f]{6});/g)].map((match) => [match[1] ?? '', match[2] ?? '']));
}

// Relative luminance and contrast as WCAG 2.2 defines them.
function luminance(colour: string): number {
  const [red, green, blue] = [1, 3, 5].map((at) => {
    const value = parseInt(colour.slice(at, at + 2), 16) / 255;
    return value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
  }) as [number, number, number];
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}

function contrast(one: string, other: string): number {
  const [light, dark] = [luminance(one), luminance(other)].sort((a, b) => b - a) as [number, number];
  return (light + 0.05) / (dark + 0.05);
}

const grounds = ['ground', 'surface', 'surface-2', 'hover', 'selected'];
const readable: [string[], string[]][] = [
  [['text', 'text-2', 'text-3', 'accent-text', 'ok', 'warn', 'bad'], grounds],
  [['on-accent'], ['accent', 'accent-hover']],
  [['on-bad'], ['bad-fill', 'bad-hover']],
  [['text', 'text-2', 'ok'], ['ok-soft']],
  [['text', 'text-2', 'text-3', 'warn'], ['warn-soft']],
  [['text', 'text-2', 'text-3', 'bad'], ['bad-soft']],
  [['text', 'text-2', 'accent-text'], ['accent-soft']],
];
const marks: [string[], string[]][] = [
  [['focus', 'ok-mark', 'warn-mark', 'bad-mark', 'quiet-mark'], grounds],
  [
    ['line-field', 'accent'],
    ['ground', 'surface', 'surface-2'],
  ],
  [
    ['chart-1', 'chart-2', 'chart-3', 'chart-4', 'chart-5', 'chart-6'],
    ['surface', 'surface-2', 'hover'],
  ],
];

describe.each(['light', 'dark'] as const)('the %s theme', (theme) => {
  const colours = tokens(theme);
  const low = (pairs: [string[], string[]][], least: number) =>
    pairs.flatMap(([fronts, backs]) =>
      fronts.flatMap((front) =>
        backs
          .map((back) => [front, back, contrast(colours.get(front) ?? '', colours.get(back) ?? '')] as const)
          .filter(([, , found]) => !(found >= least)),
      ),
    );

  it('has text that reads: contrast of at least 4.5', () => {
    expect(low(readable, 4.5)).toEqual([]);
  });

  it('has marks, fields and focus rings that stand out: contrast of at least 3', () => {
    expect(low(marks, 3)).toEqual([]);
  });
});

it('has every colour in both themes', () => {
  expect([...tokens('dark').keys()]).toEqual([...tokens('light').keys()]);
});

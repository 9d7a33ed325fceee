import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { init } from 'echarts';
import { bySpan, type Look, type Run } from './figures.ts';

const SIZE = { width: 860, height: 320 };
/** Points of a picture, however long the run was. */
const POINTS = 60;

/** Lines over minutes. */
export interface Picture {
  title: string;
  unit: string;
  lines: readonly { name: string; points: readonly (readonly [minute: number, value: number])[] }[];
}

/** A picture for each figure of a run, and one each for memory, open files and CPU. */
export function picturesOf({ samples, looks, minutes }: Run): Record<string, Picture> {
  const spanMs = (minutes * 60_000) / POINTS;
  const pictures: Record<string, Picture> = {};
  for (const [what, all] of Object.entries(samples)) {
    const spans = bySpan(all, spanMs).filter(({ p50 }) => Number.isFinite(p50));
    const line = (name: 'p50' | 'p99') => ({
      ...{ name, points: spans.map((span) => [minuteOf(span.atMs), span[name]] as const) },
    });
    pictures[fileOf(what)] = { title: what, unit: 'ms', lines: [line('p50'), line('p99')] };
  }
  const ofHost = (name: string, unit: string, of: (look: Look, before: Look) => number): Picture => ({
    ...{ title: `${name} of the host`, unit },
    lines: [
      {
        name,
        points: looks.slice(1).map((look, index) => [minuteOf(look.atMs), of(look, looks[index] ?? look)]),
      },
    ],
  });
  const share = (look: Look, before: Look) => (100 * (look.cpuMs - before.cpuMs)) / (look.atMs - before.atMs);
  return {
    ...pictures,
    memory: ofHost('RSS', 'MB', ({ rssMb }) => rssMb),
    files: ofHost('open files', '', ({ files }) => files),
    cpu: ofHost('CPU', '% of a core', share),
  };
}

const minuteOf = (ms: number): number => Number((ms / 60_000).toFixed(3));

/** A name for a file: words alone. */
const fileOf = (what: string): string =>
  what
    .toLowerCase()
    .match(/[a-z0-9]+/g)
    ?.join('-') ?? 'unnamed';

/** As SVG, made without a browser. */
export function svgOf({ title, unit, lines }: Picture): string {
  const chart = init(null, undefined, { renderer: 'svg', ssr: true, ...SIZE });
  try {
    chart.setOption({
      ...{ animation: false, backgroundColor: '#fff', title: { text: title, left: 'center' } },
      ...(lines.length > 1 && { legend: { top: 8, right: 24 } }),
      grid: { left: 70, right: 24, top: 64, bottom: 44 },
      xAxis: { type: 'value', name: 'minutes', nameLocation: 'middle', nameGap: 26, max: 'dataMax' },
      yAxis: { type: 'value', name: unit, min: 0 },
      series: lines.map(({ name, points }) => ({ type: 'line', name, data: points, showSymbol: false })),
    });
    return chart.renderToSVGString();
  } finally {
    chart.dispose();
  }
}

export function writePictures(folder: string, run: Run): void {
  for (const [name, picture] of Object.entries(picturesOf(run)))
    writeFileSync(join(folder, `large-${name}.svg`), svgOf(picture));
}

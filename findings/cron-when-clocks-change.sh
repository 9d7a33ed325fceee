#!/usr/bin/env bash
# Three cron libraries, one line, three opinions on the days when the clock changes.
#
# npm cron-parser 5.10.6, croner 11.0.1, cron 4.4.0; Europe/Berlin in 2026.
#
# Guess: on the day that has no 02:30 a job of 02:30 is left out, or run at 03:30, in all of them; on the day that has
# two, `*/30 2` runs twice or four times in all of them.
# What happens: for a fixed 02:30 cron-parser says 03:30 and the others 03:00. For `*/30 2` cron-parser makes it two
# runs, cron one, croner none that day; and in autumn croner makes it four, the others two. So moving a schedule from
# one library to another, or from a fixed minute to a step, adds or loses runs on two days of the year.
#
# Output seen (local time):
#                        30 2 in March    */30 2 in March    */30 2 in October
#   cron-parser 5.10.6   03:30            03:00 03:30        02:00 02:30
#   croner 11.0.1        03:00            -                  02:00 02:30 02:00 02:30
#   cron 4.4.0           03:00            03:00              02:00 02:30
set -euo pipefail

cannot() { echo "can not be run: $*" >&2; exit 2; }
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
cd "$tmp"
npm install --prefix . --no-save --ignore-scripts --no-audit --no-fund cron-parser@5.10.6 croner@11.0.1 cron@4.4.0 \
  >npm.log 2>&1 || cannot "npm install failed: $(tail -1 npm.log)"
cat >try.mjs <<'JS'
import { readFileSync } from 'node:fs';
import { CronTime } from 'cron';
import { CronExpressionParser } from 'cron-parser';
import { Cron } from 'croner';

const zone = 'Europe/Berlin';
const version = (name) => JSON.parse(readFileSync(`node_modules/${name}/package.json`, 'utf8')).version;
const times = {
  'cron-parser': (line, from) => {
    const all = CronExpressionParser.parse(line, { currentDate: from, tz: zone });
    return Array.from({ length: 5 }, () => all.next().toDate());
  },
  croner: (line, from) => new Cron(line, { timezone: zone, paused: true }).nextRuns(5, from),
  cron: (line, from) => {
    const all = new CronTime(line, zone);
    const found = [from];
    while (found.length < 6) found.push(all.getNextDateFrom(found.at(-1), zone).toJSDate());
    return found.slice(1);
  },
};
const parts = new Intl.DateTimeFormat('sv-SE', { timeZone: zone, dateStyle: 'short', timeStyle: 'short' });
/** The times of one local day. */
const ofDay = (name, line, day) =>
  times[name](line, new Date(`${day}T00:00:00+0${day < '2026-04' ? 1 : 2}:00`))
    .map((date) => parts.format(date))
    .filter((text) => text.startsWith(day))
    .map((text) => text.slice(-5))
    .join(' ') || '-';
const expected = {
  'cron-parser': ['03:30', '03:00 03:30', '02:00 02:30'],
  croner: ['03:00', '-', '02:00 02:30 02:00 02:30'],
  cron: ['03:00', '03:00', '02:00 02:30'],
};
const show = (...cells) => console.log(cells[0].padEnd(20), cells[1].padEnd(16), cells[2].padEnd(18), cells[3]);
show('', '30 2 in March', '*/30 2 in March', '*/30 2 in October');
for (const [name, want] of Object.entries(expected)) {
  const got = [
    ofDay(name, '30 2 * * *', '2026-03-29'),
    ofDay(name, '*/30 2 * * *', '2026-03-29'),
    ofDay(name, '*/30 2 * * *', '2026-10-25'),
  ];
  show(`${name} ${version(name)}`, ...got);
  if (got.join() === want.join()) continue;
  console.error(`CHANGED: ${name} has other times: ${want.join(' | ')} before`);
  process.exitCode = 1;
}
if (!process.exitCode) console.log('as described');
JS
timeout 60 node try.mjs

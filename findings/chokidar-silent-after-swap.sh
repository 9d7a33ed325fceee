#!/usr/bin/env bash
# A watch by chokidar is silent for good once the watched folder was made again or swapped.
#
# npm chokidar 5.0.0, Linux.
#
# Guess: it watches a path. When the folder goes it says so, and when one comes back under that name (a checkout, a
# mount, a swap of two folders by rename) it tells what is in it and what changes.
# What happens: the removal is told (for a swap not even that), and nothing ever after: no event, no error, `closed` is
# false. Whoever trusts the events alone works on files that are gone.
#
# Output seen:
#   folder as it was:    [ 'change a' ]
#   removed:             [ 'unlinkDir one', 'unlink a' ]
#   made again, 3 writes: [] closed: false
#   swapped, 1 write:    []
set -euo pipefail

cannot() { echo "can not be run: $*" >&2; exit 2; }
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
cd "$tmp"
npm install --prefix . --no-save --ignore-scripts --no-audit --no-fund chokidar@5.0.0 \
  >npm.log 2>&1 || cannot "npm install failed: $(tail -1 npm.log)"
cat >try.mjs <<'JS'
import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { basename } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { watch } from 'chokidar';

console.log('chokidar', JSON.parse(readFileSync('node_modules/chokidar/package.json', 'utf8')).version);
const changed = (words) => {
  console.error(`CHANGED: ${words}`);
  process.exit(1);
};
async function watched(folder) {
  mkdirSync(folder);
  writeFileSync(`${folder}/a`, '1');
  const events = [];
  const watcher = watch(folder, { ignoreInitial: true });
  watcher.on('all', (event, path) => events.push(`${event} ${basename(path)}`)).on('error', (e) => events.push(`error ${e}`));
  await new Promise((resolve) => watcher.once('ready', resolve));
  const next = async () => {
    await sleep(2000);
    return events.splice(0);
  };
  return { watcher, next };
}

const first = await watched('one');
writeFileSync('one/a', '22');
const alive = await first.next();
console.log('folder as it was:   ', alive);
rmSync('one', { recursive: true });
const gone = await first.next();
mkdirSync('one');
writeFileSync('one/a', '333');
writeFileSync('one/b', '1');
const back = await first.next();
writeFileSync('one/b', '22');
back.push(...(await first.next()));
console.log('removed:            ', gone);
console.log('made again, 3 writes:', back, 'closed:', first.watcher.closed);

const second = await watched('two');
mkdirSync('next');
writeFileSync('next/a', 'new');
renameSync('two', 'old');
renameSync('next', 'two');
const swap = await second.next();
writeFileSync('two/a', 'newer');
swap.push(...(await second.next()));
console.log('swapped, 1 write:   ', swap);
await Promise.all([first.watcher.close(), second.watcher.close()]);
if (!alive.includes('change a')) changed('an ordinary change is not told');
if (!gone.includes('unlinkDir one')) changed('the removal is not told');
if (back.length > 0) changed('a folder that was made again is watched');
if (swap.length > 0) changed('a swap or what comes after it is told');
console.log('as described');
JS
timeout 60 node try.mjs

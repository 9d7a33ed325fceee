import { QUICKSTART_USER } from './deploy-example.ts';
import type { ProgramAnswer } from './host-client.ts';
import type { HostSettings } from './host-settings.ts';
import { bold, dim } from './say.ts';

/** What to try next, as lines that can be pasted into another terminal. */
export function nextSteps(
  example: string,
  settings: HostSettings,
  program: ProgramAnswer,
  examples: readonly string[],
): string {
  const api = `localhost:${settings.port}/programs`;
  const json = "-H 'Content-Type: application/json'";
  const own: [string, string][] =
    example === 'counter'
      ? [
          ['curl -X POST $P/proxy/count', 'counts'],
          ['curl -X POST $P/proxy/crash', 'crashes it …'],
          ['curl $P/proxy/count', '… and it is back with its count'],
        ]
      : [
          [`curl -X POST $P/proxy/watcher/message ${json} -d '{"content":"status"}'`, 'a command'],
          ['curl "$P/logs?tail=20"', 'its answer'],
        ];
  const steps: [string, string][] = [
    [`P=${api}/${program.program_id}`, ''],
    ...own,
    ['curl $P', 'its state, restart_count, conditions'],
    ['curl "$P/logs?follow=true"', 'what it prints'],
    ['curl $P/events', 'what happened to it'],
    ['curl $P/build-log', 'how it was built'],
    ['curl $P/manifest', 'what is wanted of it; the file is in registry/programs/'],
    ['curl -X POST $P/stop', 'and …/start'],
    ['curl -X DELETE $P', 'the end of it'],
    [`curl "${api}?user_id=${QUICKSTART_USER}"`, 'all that quickstart deployed'],
  ];
  const others = examples.filter((name) => name !== example);
  const lines = steps.map(([command, about]) => `  ${command}${about ? dim(`   # ${about}`) : ''}`);
  return [
    `\n${bold('Try next')}, in another terminal:`,
    ...lines,
    ...(others.includes('trading-sim') ? ['  npm run quickstart -- trading-sim'] : []),
    `  npm run quickstart -- --down${dim('   # removes all that quickstart made')}`,
    `More to deploy, each with a README: ${others.map((name) => `examples/${name}`).join(', ')}`,
  ].join('\n');
}

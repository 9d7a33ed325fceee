import type { Host } from '../host/host.ts';
import { findProgram } from '../host/names.ts';
import { CliError, EXIT, Interrupted } from '../io/exit.ts';
import type { AddCommand, Run } from './run.ts';

/** How long a tunnel is looked after before the next look. */
const LOOK_MS = 5_000;

export const addOpen: AddCommand = (program, use) => {
  program
    .command('open')
    .description('print the address of a program, and show it in a browser where there is one')
    .argument('<NAME>', 'a name, or what only one name begins with')
    .action(
      use(async (run: Run, word: string) => {
        const host = await run.host();
        const { program_id: name, proxy_url: url } = await findProgram(host, word);
        if (url === '')
          throw new CliError(EXIT.failed, `${name} has no address yet`, `hershctl start ${name}`);
        // Its port is one of the other machine.
        return show(
          run,
          host,
          host.isTunnel ? `${host.base}/programs/${encodeURIComponent(name)}/proxy/` : url,
        );
      }),
    );
  program
    .command('ui')
    .description("print the address of the host's page, and show it in a browser where there is one")
    .action(
      use(async (run: Run) => {
        const host = await run.host();
        return show(run, host, `${host.base}/`);
      }),
    );
};

async function show(run: Run, host: Host, url: string) {
  run.out(`${url}\n`);
  const { io } = run;
  const { env } = io;
  const hasDesktop = [env.DISPLAY, env.WAYLAND_DISPLAY].some((one) => (one ?? '') !== '');
  if (io.stdout.isTTY && (hasDesktop || process.platform === 'darwin')) io.launch(url);
  if (!host.isTunnel) return EXIT.ok;
  run.say('through ssh, until Ctrl-C');
  while (host.lostTunnel() === undefined) {
    await io.delay(LOOK_MS, io.signal);
    if (io.signal.aborted) throw new Interrupted();
  }
  throw host.lostTunnel();
}

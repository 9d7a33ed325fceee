/**
 * The least that brings a crashed container back: waits for the engine to tell of a `die` among the containers
 * of the instance it is given, and has it started. A process of its own, as the host is one.
 */
import Docker from 'dockerode';
import { LABELS } from '../../schemas/program.ts';
import { messages } from '../setup/images.ts';

const docker = new Docker();
const stream = await docker.getEvents({
  filters: { type: ['container'], event: ['die'], label: [`${LABELS.instance}=${process.argv[2]}`] },
});
console.log('watching');
for await (const message of messages(stream)) {
  const { id } = message as { id: string };
  // Its container may be on its way out: the round is over then.
  docker
    .getContainer(id)
    .start()
    .catch(() => {});
}

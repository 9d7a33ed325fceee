import { Mono } from '../../parts/small.tsx';
import { href } from '../../state/route.ts';

/** Beside the editor: what a change costs, before anything is changed. The host's table of it is `ON_CHANGE`. */
export function FieldCosts() {
  return (
    <div class="manifest-side">
      <h3>What each field costs</h3>
      <p class="note">
        A change of <Mono>restartPolicy</Mono>, <Mono>readiness</Mono>, <Mono>liveness</Mono>,{' '}
        <Mono>pullPolicy</Mono>, <Mono>proxyAccess</Mono>, <Mono>stopGracePeriodSeconds</Mono>,{' '}
        <Mono>progressDeadlineSeconds</Mono>: nothing is restarted. Of <Mono>env</Mono>,{' '}
        <Mono>resources</Mono>, <Mono>runtime</Mono>, <Mono>command</Mono>, <Mono>args</Mono>,{' '}
        <Mono>publishPort</Mono>, <Mono>restartedAt</Mono>: the container is replaced, about a second without
        service. Of <Mono>build</Mono> or <Mono>image</Mono>: a build or a pull first, while the old one
        serves. Of <Mono>userId</Mono>: another /state, too.
      </p>
      <h3>Fields</h3>
      <p class="note">
        Comments and the order of keys are kept. An unknown field is an error that names the nearest known
        one. <a href={href('/reasons', {}, 'fields')}>All fields</a>
      </p>
    </div>
  );
}

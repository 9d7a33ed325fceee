/** Stories that once ended badly, and what they found. Each is played at every run of the tests. */
export const KEPT_SEEDS: readonly { seed: number; steps: number; found: string }[] = [
  { seed: 27, steps: 40, found: 'a port held by a pass that failed, and another by the next: one leaked' },
  { seed: 99, steps: 40, found: 'the same, where the port of the ledger was held by another program' },
  { seed: 14, steps: 40, found: 'Error without a reason, once a manifest that was never valid went missing' },
  { seed: 13, steps: 40, found: 'nothing ran after rm -f while the next revision could not be had' },
  { seed: 96, steps: 40, found: 'the same, where the old container was made for another port' },
  { seed: 201, steps: 40, found: 'a program that ran to its end was rolled back for not being ready' },
  { seed: 369, steps: 40, found: 'a build was given up after three tries, though only the engine was away' },
  { seed: 3, steps: 40, found: 'an event was lost by a kill between the status and it' },
  {
    seed: 95,
    steps: 40,
    found: 'nothing ran once sources, image and container were gone, though all was kept',
  },
  { seed: 81, steps: 40, found: 'a revision that was ready was Pending again under an older ledger' },
  { seed: 776102788, steps: 40, found: 'a changed container came back, once its successor was rolled back' },
  { seed: 776102781, steps: 40, found: 'one that had finished, and was started by hand, was not put right' },
  {
    seed: 776103016,
    steps: 40,
    found: 'what waited for a word was removed by the next host, as others had come',
  },
  {
    seed: 776103481,
    steps: 40,
    found: 'a port was given back, and away, before the status said that it was',
  },
  {
    seed: 776103948,
    steps: 40,
    found: 'what had ended under the policy of a bad revision stayed ended when it came back',
  },
  {
    seed: 781001424,
    steps: 40,
    found: 'a good revision that had come to its end was run again after a rollback, now and then',
  },
  {
    seed: 781000869,
    steps: 40,
    found: 'a revision that was overtaken before it was ready served on for one that has no port',
  },
  { seed: 781003398, steps: 40, found: 'what was overtaken was told to be ready by the probe of another' },
  {
    seed: 781003950,
    steps: 40,
    found: 'a bad revision ran on where the good one had come to its end and was removed by hand',
  },
  {
    seed: 782001961,
    steps: 40,
    found: 'what was restarted and served beside a pull that failed was not known as good to a new ledger',
  },
  {
    seed: 784001032,
    steps: 40,
    found: 'the good revision was told to be bad, for an older one that was wanted again and not started',
  },
  {
    seed: 784000344,
    steps: 40,
    found: 'one that had finished, was started by hand and killed while no host ran, stayed down',
  },
  {
    seed: 785003116,
    steps: 40,
    found: 'one that had had its time and the good one took turns, without a wait',
  },
  {
    seed: 789000472,
    steps: 40,
    found: 'one that got ready when its successor was just made was not known as good',
  },
  {
    seed: 52612,
    steps: 40,
    found: "one that was started by hand on its old port claimed it, though it is another program's by then",
  },
  { seed: 51323, steps: 40, found: 'the history of a stray was collected while its container still stood' },
  {
    seed: 101657,
    steps: 40,
    found: 'who pins a port was given it, though another whose ledger was lost serves on it',
  },
  { seed: 122667, steps: 40, found: 'what was made while the disk was full was a stranger to the next host' },
  {
    seed: 122768,
    steps: 40,
    found: 'a run that began after a restart was asked for waited for the restart for ever',
  },
  {
    seed: 120216,
    steps: 40,
    found: 'what was rolled back from a pin moved away from its port and back without a wait',
  },
  {
    seed: 163723,
    steps: 40,
    found: 'what somebody started by hand while it was to be stopped kept the port of another that pins it',
  },
  {
    seed: 182101,
    steps: 40,
    found: 'what lacked an image since its own build had failed did not see that another had built it',
  },
  {
    seed: 187571,
    steps: 40,
    found: 'what came back while its successor could not be built was started on the port that another held',
  },
  {
    seed: 188344,
    steps: 40,
    found: 'what somebody started by hand after a stop came back for a successor that could not be built',
  },
  { seed: 150092, steps: 40, found: 'what ran since a stop, and was never seen up, rested for good' },
  {
    seed: 185246,
    steps: 40,
    found:
      'a second one was started beside one that somebody gave a restart policy, once its ledger was lost',
  },
  {
    seed: 910000729,
    steps: 40,
    found: 'a change by hand was taken for how a container was made, once its name was born anew',
  },
  {
    seed: 910001196,
    steps: 40,
    found: 'what was stopped by wish and ended while it was paused came back for one that could not be built',
  },
  {
    seed: 910001233,
    steps: 40,
    found: 'a revision that answered after it was rolled back was written down as Ready',
  },
  {
    seed: 920002434,
    steps: 40,
    found: 'what ended at once, with success, was never left at that after the clock had jumped back',
  },
];

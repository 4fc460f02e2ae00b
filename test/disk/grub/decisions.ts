import type { BootSituation } from "../../../agent/boot/slot-choice.ts";
import { encodeGrubenv, grubenvBytes, type SlotName } from "../../../format/grubenv.ts";

/** One question to GRUB and to the model. */
export interface Decision {
  title: string;
  /** The file as GRUB finds it; undefined: it is missing. */
  grubenv: Uint8Array | undefined;
  proven: SlotName[];
  slots: SlotName[];
  situation: BootSituation;
}

const orders = ["A B", "B A", "A", "B", "", "C A"];
const tries = ["0", "1", "2", "3", "x"];
const provenSets: SlotName[][] = [[], ["A"], ["B"], ["A", "B"]];

/** Every combination of ORDER, OK and TRY thinned out evenly, then every way a grubenv can be damaged. */
export function sampleDecisions(every: number): Decision[] {
  const states: Map<string, string>[] = [];
  for (const order of orders)
    for (const okA of ["0", "1"])
      for (const tryA of tries)
        for (const okB of ["0", "1"])
          for (const tryB of tries)
            states.push(
              new Map([
                ["ORDER", order],
                ["A_OK", okA],
                ["A_TRY", tryA],
                ["B_OK", okB],
                ["B_TRY", tryB],
              ]),
            );
  // `every` shares no factor with the dimensions, so that each value of each key stays in the sample.
  const sampled = states.filter((_, index) => index % every === 0);
  return [
    ...sampled.map((state, index) => intact(state, provenSets[index % provenSets.length]!, ["A", "B"])),
    ...states.filter((_, index) => index % (every * 7) === 0).map((state) => intact(state, [], ["A"])),
    intact(new Map(), [], ["A", "B"]),
    intact(
      new Map([
        ["ORDER", "B A"],
        ["own", "a\\b"],
      ]),
      [],
      ["A", "B"],
    ),
    ...provenSets.flatMap((proven) => damaged(proven)),
  ];
}

function intact(state: Map<string, string>, proven: SlotName[], slots: SlotName[]): Decision {
  return decision(
    `${[...state].join(" ")} proven=${proven.join()}`,
    encodeGrubenv(state),
    proven,
    slots,
    state,
    true,
  );
}

/** GRUB reads such a file, and its first 1024 bytes are right. */
function oneByteMore(state: Map<string, string>): Uint8Array {
  return Buffer.concat([encodeGrubenv(state), Buffer.from("\n")]);
}

function damaged(proven: SlotName[]): Decision[] {
  const complete = new Map([
    ["ORDER", "B A"],
    ["A_OK", "1"],
    ["A_TRY", "0"],
    ["B_OK", "1"],
    ["B_TRY", "1"],
  ]);
  const withoutTries = new Map([
    ["ORDER", "B A"],
    ["A_OK", "1"],
    ["B_OK", "1"],
  ]);
  const bOff = new Map([
    ["ORDER", "B A"],
    ["A_OK", "1"],
    ["B_OK", "0"],
  ]);
  const full = new Map([...withoutTries, ["own", "x".repeat(grubenvBytes - 53 - 5)]]);
  const cases: [string, Uint8Array | undefined, Map<string, string> | undefined, boolean][] = [
    ["missing", undefined, undefined, false],
    ["0 bytes", new Uint8Array(), undefined, false],
    ["garbage", Buffer.alloc(grubenvBytes, 0xa5), undefined, false],
    ["no room for the counters", encodeGrubenv(full), full, false],
    // Without padding at its end GRUB finds no room for new keys, but can still change a digit where it stands.
    ["1025 bytes, counters missing", oneByteMore(withoutTries), withoutTries, false],
    ["1025 bytes, counters missing, B off", oneByteMore(bOff), bOff, false],
    ["1025 bytes, all keys there", oneByteMore(complete), complete, true],
  ];
  return cases.map(([title, file, state, writable]) =>
    decision(`${title} proven=${proven.join()}`, file, proven, ["A", "B"], state, writable),
  );
}

function decision(
  title: string,
  grubenv: Uint8Array | undefined,
  proven: SlotName[],
  slots: SlotName[],
  environment: Map<string, string> | undefined,
  writable: boolean,
): Decision {
  return { title, grubenv, proven, slots, situation: { environment, slots, proven, writable } };
}

/** What must be in grubenv afterwards: a changed state, or the very bytes that were there. */
export function expectedGrubenv(
  { grubenv, situation }: Decision,
  changes: ReadonlyMap<string, string>,
): { state: Map<string, string> } | { bytes: Buffer | undefined } {
  if (grubenv === undefined || changes.size === 0) return { bytes: grubenv && Buffer.from(grubenv) };
  const defaults = new Map([
    ["ORDER", "A B"],
    ["A_OK", "1"],
    ["A_TRY", "0"],
    ["B_OK", "1"],
    ["B_TRY", "0"],
  ]);
  return { state: new Map([...defaults, ...(situation.environment ?? []), ...changes]) };
}

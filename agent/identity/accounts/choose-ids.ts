interface Named {
  name: string;
  id: number;
}

export interface ChosenIds {
  byName: Map<string, number>;
  byOldId: Map<number, number>;
  /** Entries of the target that take the number their namesake had. */
  renumbered: { name: string; from: number; to: number }[];
}

const firstHumanId = 1000;
const lastHumanId = 60_000;

/** Numbers for carried users or groups, the same for the same input: in order of old number, then name. */
export function chooseIds(options: {
  kind: "user" | "group";
  wanted: readonly Named[];
  present: readonly Named[];
  notes: string[];
}): ChosenIds {
  const { kind, notes } = options;
  const present = new Map(options.present.map((one) => [one.name, one.id]));
  const owner = new Map(options.present.map((one) => [one.id, one.name]));
  const wanted = [...options.wanted].sort((a, b) => a.id - b.id || (a.name < b.name ? -1 : 1));
  // A number somebody else is going to keep is not free for a person who has to move.
  const reserved = new Set(wanted.map((one) => one.id));
  const result: ChosenIds = { byName: new Map(), byOldId: new Map(), renumbered: [] };
  const word = kind === "user" ? "uid" : "gid";
  const given = new Map<number, string>();
  const settle = (one: Named, id: number): void => {
    result.byName.set(one.name, id);
    given.set(id, one.name);
    if (!result.byOldId.has(one.id)) result.byOldId.set(one.id, id);
  };
  for (const one of wanted) {
    const own = present.get(one.name);
    const holder = given.get(one.id) ?? owner.get(one.id);
    const free = holder === undefined || holder === one.name;
    if (own === one.id) settle(one, own);
    else if (own !== undefined && (own < firstHumanId || !free || kind === "group")) {
      settle(one, own);
      notes.push(
        `${title(kind)} ${one.name} had ${word} ${one.id}; the new system's ${one.name} keeps ${own}.`,
      );
    } else if (free) {
      if (own !== undefined) {
        result.renumbered.push({ name: one.name, from: own, to: one.id });
        owner.delete(own);
        notes.push(
          `${title(kind)} ${one.name} of the new system had ${word} ${own}; it has the old system's ${one.id} now.`,
        );
      }
      settle(one, one.id);
    } else if (given.get(one.id) !== undefined && !owner.has(one.id) && kind === "user") {
      // Two old names for one number: they shared everything, and still do.
      settle(one, one.id);
    } else {
      const id = nextFree(
        one.id,
        (candidate) => owner.has(candidate) || given.has(candidate) || reserved.has(candidate),
      );
      settle(one, id);
      notes.push(
        `${title(kind)} ${one.name} had ${word} ${one.id}, which is ${holder}'s on the new system; it is ${id} now.`,
      );
    }
  }
  return result;
}

/** People go upwards from 1000, system groups downwards from 999, as distributions number them. */
function nextFree(oldId: number, taken: (id: number) => boolean): number {
  if (oldId < 500) {
    for (let id = firstHumanId - 1; id > 100; id--) if (!taken(id)) return id;
  }
  for (let id = firstHumanId; id <= lastHumanId; id++) if (!taken(id)) return id;
  return oldId;
}

function title(kind: "user" | "group"): string {
  return kind === "user" ? "User" : "Group";
}

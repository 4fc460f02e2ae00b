import type * as z from "zod";

interface Definition {
  type: string;
  shape?: Record<string, z.ZodType>;
  innerType?: z.ZodType;
  element?: z.ZodType;
  in?: z.ZodType;
}

/** The part of a schema that judges the value at a path; undefined where the schema knows no such key. */
export function schemaAt(schema: z.ZodType, path: readonly PropertyKey[]): z.ZodType | undefined {
  let current: z.ZodType | undefined = schema;
  for (const key of path) {
    if (!current) return undefined;
    const definition = definitionOf(current);
    current = definition.type === "array" ? definition.element : definition.shape?.[String(key)];
  }
  return current;
}

export function allowedKeys(schema: z.ZodType | undefined): string[] {
  return schema ? Object.keys(definitionOf(schema).shape ?? {}) : [];
}

/** What is allowed there, as `describe` says it, at the value itself or at what wraps it. */
export function allowedText(schema: z.ZodType | undefined): string | undefined {
  let current = schema;
  while (current) {
    if (current.description !== undefined) return current.description;
    const definition = current.def as unknown as Definition;
    current = definition.innerType ?? definition.in;
  }
  return undefined;
}

/** Looks through optional, default and transform wrappers. */
function definitionOf(schema: z.ZodType): Definition {
  let definition = schema.def as unknown as Definition;
  for (;;) {
    const inner: z.ZodType | undefined = definition.innerType ?? definition.in;
    if (!inner) return definition;
    definition = inner.def;
  }
}

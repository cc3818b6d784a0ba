/**
 * Stand-in for `jsr:@std/cli/parse-args`: the options and results of the real one, with simpler types. Not published.
 *
 * @module
 */

/** Options of {@linkcode parseArgs}. */
export interface ParseOptions<
  B extends string = string,
  S extends string = string,
  C extends string = string,
  N extends string = string,
  D extends boolean | undefined = boolean | undefined,
> {
  /** Put what follows `--` into `["--"]` instead of `_`. */
  "--"?: D;
  /** Other names of an argument. */
  alias?: Record<string, string | readonly string[]>;
  /** Arguments that take no value; `true`: all long ones without an equal sign. */
  boolean?: boolean | B | readonly B[];
  /** Values of arguments that are not given. */
  default?: Record<string, unknown>;
  /** Everything behind the first positional is positional. */
  stopEarly?: boolean;
  /** Arguments whose value stays a string; `"_"`: the positionals. */
  string?: S | readonly S[];
  /** Arguments that may be given several times. */
  collect?: C | readonly C[];
  /** Arguments that `--no-NAME` sets to false. */
  negatable?: N | readonly N[];
  /** Called with what no option names; `false` drops it. */
  unknown?: (arg: string, key?: string, value?: unknown) => unknown;
}

/** What {@linkcode parseArgs} gives. */
export type Args<
  B extends string = never,
  S extends string = never,
  C extends string = never,
  N extends string = never,
  D extends boolean | undefined = undefined,
> =
  & Record<string, unknown>
  & { [K in Exclude<B, "_">]: K extends C ? boolean[] : boolean }
  & { [K in Exclude<S, "_" | C>]?: string | (K extends N ? false : never) }
  & { [K in Extract<S, C>]: string[] }
  & { _: Array<string | number> }
  & (D extends true ? { "--": string[] } : unknown);

type Value = string | number | boolean;
type Nested = Record<string, unknown>;

/**
 * Parses command-line arguments.
 *
 * Arguments that look like numbers become numbers (`01` 1, `0x10` 16, `1e3` 1000) unless `string` names them.
 */
export function parseArgs<
  B extends string = never,
  S extends string = never,
  C extends string = never,
  N extends string = never,
  D extends boolean | undefined = undefined,
>(args: string[], options: ParseOptions<B, S, C, N, D> = {}): Args<B, S, C, N, D> {
  const parser = new Parser(options);
  const end = args.indexOf("--");
  const rest = end < 0 ? [] : args.slice(end + 1);
  parser.parse(end < 0 ? args : args.slice(0, end));
  parser.fillIn();
  if (options["--"]) parser.result["--"] = rest;
  else parser.positionals.push(...rest);
  return parser.result as Args<B, S, C, N, D>;
}

class Parser {
  readonly positionals: (string | number)[] = [];
  readonly result: Nested = { _: this.positionals };
  readonly #options: ParseOptions;
  readonly #aliases = new Map<string, Set<string>>();
  readonly #booleans: Set<string>;
  readonly #strings: Set<string>;
  readonly #collected: Set<string>;
  readonly #negatable: Set<string>;
  readonly #allBooleans: boolean;

  constructor(options: ParseOptions) {
    this.#options = options;
    for (const [key, value] of Object.entries(options.alias ?? {})) {
      const others = listOf(value);
      this.#aliases.set(key, new Set(others));
      for (const other of others) this.#aliases.set(other, new Set([key, ...others.filter((it) => it !== other)]));
    }
    const boolean = options.boolean ?? false;
    this.#allBooleans = boolean === true;
    this.#booleans = this.#withAliases(typeof boolean === "boolean" ? [] : boolean);
    this.#strings = this.#withAliases(options.string);
    this.#collected = this.#withAliases(options.collect);
    this.#negatable = this.#withAliases(options.negatable);
  }

  parse(args: readonly string[]): void {
    for (let i = 0; i < args.length; i++) {
      const arg = args[i] ?? "";
      if (arg.length > 1 && arg.startsWith("-")) {
        if (arg.startsWith("--")) i += this.#long(arg, args[i + 1]);
        else i += this.#short(arg, args[i + 1]);
        continue;
      }
      if (this.#options.unknown?.(arg) !== false) {
        this.positionals.push(this.#strings.has("_") || !looksNumeric(arg) ? arg : Number(arg));
      }
      if (this.#options.stopEarly) {
        this.positionals.push(...args.slice(i + 1));
        return;
      }
    }
  }

  /** Gives values to what was not on the command line. */
  fillIn(): void {
    for (const [key, value] of Object.entries(this.#options.default ?? {})) {
      if (has(this.result, key)) continue;
      for (const name of this.#namesOf(key)) put(this.result, name, value);
    }
    for (const key of this.#booleans) {
      if (!has(this.result, key)) put(this.result, key, this.#collected.has(key) ? [] : false);
    }
    for (const key of this.#strings) {
      if (this.#collected.has(key) && !has(this.result, key)) put(this.result, key, []);
    }
  }

  /** `--key`, `--key=value`, `--key value`, `--no-key`; gives how many arguments behind it were used. */
  #long(arg: string, next: string | undefined): 0 | 1 {
    const negated = arg.startsWith("--no-") && arg.length > 5;
    let key = arg.slice(negated ? 5 : 2);
    const equals = key.indexOf("=", 1);
    if (equals > 0 && equals < key.length - 1) {
      const value = key.slice(equals + 1);
      key = key.slice(0, equals);
      this.#set(arg, key, this.#booleans.has(key) ? value !== "false" : value);
      return 0;
    }
    if (negated) {
      if (this.#negatable.has(key)) {
        this.#set(arg, key, false, false);
        return 0;
      }
      key = `no-${key}`;
    }
    const takesValue = !this.#allBooleans && !this.#isBoolean(key) && !next?.startsWith("-");
    return this.#setWithNext(arg, key, next, takesValue);
  }

  /** `-k`, `-abc`, `-n5`, `-k=value`, `-k value`. */
  #short(arg: string, next: string | undefined): 0 | 1 {
    for (let at = 1; at < arg.length - 1; at++) {
      const letter = arg.charAt(at);
      const behind = arg.slice(at + 1);
      const isLetter = /[A-Za-z]/.test(letter);
      if (behind === "-") {
        this.#set(arg, letter, behind);
      } else if (isLetter && behind.includes("=")) {
        // The real one throws where nothing follows the equal sign; an empty value is the nearest result.
        this.#set(arg, letter, behind.slice(behind.indexOf("=") + 1));
        return 0;
      } else if (isLetter && /-?\d+(\.\d*)?(e-?\d+)?$/.test(behind)) {
        this.#set(arg, letter, behind);
        return 0;
      } else if (behind.length > 1 && /\W/.test(behind.charAt(0))) {
        this.#set(arg, letter, behind);
        return 0;
      } else {
        this.#set(arg, letter, this.#strings.has(letter) ? "" : true);
      }
    }
    const key = arg.slice(-1);
    if (key === "-") return 0;
    const takesValue = !this.#isBoolean(key) && next !== undefined && !/^--?[^-]/.test(next);
    return this.#setWithNext(arg, key, next, takesValue);
  }

  #setWithNext(arg: string, key: string, next: string | undefined, takesValue: boolean): 0 | 1 {
    if (next && takesValue) this.#set(arg, key, next);
    else if (next === "true" || next === "false") this.#set(arg, key, next === "true");
    else {
      this.#set(arg, key, this.#strings.has(key) ? "" : true);
      return 0;
    }
    return 1;
  }

  #set(arg: string, key: string, value: Value, collect = true): void {
    const known = this.#booleans.has(key) || this.#strings.has(key) || this.#aliases.has(key) ||
      (this.#allBooleans && /^--[^=]+$/.test(arg));
    if (!known && this.#options.unknown?.(arg, key, value) === false) return;
    const keepText = typeof value !== "string" || this.#strings.has(key) || !looksNumeric(value);
    const stored = keepText ? value : Number(value);
    for (const name of this.#namesOf(key)) put(this.result, name, stored, collect && this.#collected.has(key));
  }

  #isBoolean(key: string): boolean {
    return this.#namesOf(key).some((name) => this.#booleans.has(name));
  }

  #namesOf(key: string): string[] {
    return [key, ...(this.#aliases.get(key) ?? [])];
  }

  #withAliases(keys: string | readonly string[] | undefined): Set<string> {
    return new Set(listOf(keys ?? []).filter(Boolean).flatMap((key) => this.#namesOf(key)));
  }
}

function listOf(value: string | readonly string[]): readonly string[] {
  return typeof value === "string" ? [value] : value;
}

function looksNumeric(text: string): boolean {
  return /^0x[0-9a-f]+$/i.test(text) || /^[-+]?(?:\d+(?:\.\d*)?|\.\d+)(e[-+]?\d+)?$/.test(text);
}

/** `a.b` names the member `b` of the object `a`. */
function put(object: Nested, path: string, value: unknown, collect = false): void {
  const keys = path.split(".");
  const last = keys.pop() ?? "";
  for (const key of keys) object = (object[key] ??= {}) as Nested;
  const old = object[last];
  if (!collect) object[last] = value;
  else if (Array.isArray(old)) old.push(value);
  else object[last] = old ? [old, value] : [value];
}

function has(object: Nested, path: string): boolean {
  const keys = path.split(".");
  const last = keys.pop() ?? "";
  for (const key of keys) {
    if (!object[key]) return false;
    object = object[key] as Nested;
  }
  return Object.hasOwn(object, last);
}

// Owns values that are made at their first use: the build makes every schema of ours one, since an agent at rest needs few of the thousands.

/** Stands for the value until somebody looks at it, and passes every look on to it afterwards. */
export function madeLater<T extends object>(make: () => T): T {
  let made: T | undefined;
  const value = (): T => (made ??= make());
  return new Proxy({} as T, {
    get: (_, name) => Reflect.get(value(), name) as unknown,
    set: (_, name, to) => Reflect.set(value(), name, to),
    has: (_, name) => Reflect.has(value(), name),
    ownKeys: () => Reflect.ownKeys(value()),
    // The stand-in has no property of its own, so none may be told as one that cannot change.
    getOwnPropertyDescriptor: (_, name) => { const told = Reflect.getOwnPropertyDescriptor(value(), name); return told && { ...told, configurable: true }; },
    getPrototypeOf: () => Reflect.getPrototypeOf(value()),
  });
}

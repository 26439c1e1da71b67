// Owns the version of the build.

declare const DIAG_VERSION: string | undefined;
/** The version of the build; 'dev' when run from source. */
export const VERSION: string = typeof DIAG_VERSION === 'string' ? DIAG_VERSION : 'dev';

// Owns the error of a file that is no profile.
import { DiagError } from '../../shared/errors.ts';

export function unreadableProfile(why: string): DiagError {
  return new DiagError('PROFILE_UNREADABLE', { why });
}

// Owns the last step before a report is written: its keys in the schema's order, so that equal reports are equal bytes however they came about.
import { Report } from '../shared/model.ts';
import { makeReport, type ReportGiven } from './report.ts';

/** @throws what makeReport throws; ZodError when a finding is not of the model's form */
export async function finalReport(given: ReportGiven): Promise<Report> {
  return Report.parse(await makeReport(given));
}

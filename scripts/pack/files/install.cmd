@echo off
rem Runs in this folder when the package is installed; after a private upload run it once by hand (docs/deploy.md).
rem Registers the continuous WebJob; everything else is here already. Nothing is compiled or downloaded.
setlocal
set "JOB=%HOME%\site\jobs\continuous\AppServiceDiag"
if not exist "%JOB%" mkdir "%JOB%"
copy /y "%~dp0webjob\run.cmd" "%JOB%\run.cmd" >nul
copy /y "%~dp0webjob\settings.job" "%JOB%\settings.job" >nul
if not exist "%JOB%\run.cmd" exit /b 1
if not exist "%JOB%\settings.job" exit /b 1
echo AppServiceDiag: the WebJob is registered. Restart the SCM site; the page is /diag.
exit /b 0

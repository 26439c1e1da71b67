@echo off
rem Runs in this folder when the package is installed; after a private upload run it once by hand (docs/deploy.md).
rem Registers the continuous WebJob, and puts the preload into the transform. Nothing is compiled or downloaded.
setlocal
set "JOB=%HOME%\site\jobs\continuous\AppServiceDiag"
if not exist "%JOB%" mkdir "%JOB%"
copy /y "%~dp0webjob\run.cmd" "%JOB%\run.cmd" >nul
copy /y "%~dp0webjob\settings.job" "%JOB%\settings.job" >nul
if not exist "%JOB%\run.cmd" exit /b 1
if not exist "%JOB%\settings.job" exit /b 1
echo AppServiceDiag: the WebJob is registered.

rem The app setting that switches the preload off leaves the main site alone altogether.
for %%V in (off 0 false no) do if /i "%DIAG_PRELOAD%"=="%%V" goto done
rem First the file that the main site's Node will be told to load: beside this folder, whole from its first moment, never replaced.
for %%I in ("%~dp0.") do set "PRELOAD=%%~fI.Preload"
if not exist "%PRELOAD%" mkdir "%PRELOAD%"
if exist "%PRELOAD%\preload-1.js" goto named
copy /y "%~dp0preload\preload-1.js" "%PRELOAD%\preload-1.js.part" >nul
move /y "%PRELOAD%\preload-1.js.part" "%PRELOAD%\preload-1.js" >nul
if not exist "%PRELOAD%\preload-1.js" exit /b 1
:named
rem Only then the transform that names it; the one that was shipped names nothing.
copy /y "%~dp0preload\applicationHost.xdt" "%~dp0applicationHost.xdt.part" >nul
if not exist "%~dp0applicationHost.xdt.part" exit /b 1
move /y "%~dp0applicationHost.xdt.part" "%~dp0applicationHost.xdt" >nul
if exist "%~dp0applicationHost.xdt.part" exit /b 1
echo AppServiceDiag: Node apps of the main site load the preload from the next restart on. The app setting DIAG_PRELOAD=off ends it.
:done
echo AppServiceDiag: restart the app; the page is /diag of the SCM site.
exit /b 0

@echo off
rem Runs in this folder before the package is removed: ends the WebJob. What was recorded stays in data\DaaS until it is deleted by hand.
setlocal
set "JOB=%HOME%\site\jobs\continuous\AppServiceDiag"
if exist "%JOB%" rmdir /s /q "%JOB%"
if exist "%JOB%" exit /b 1
echo AppServiceDiag: the WebJob is removed.
exit /b 0

; What the installer for Windows does besides copying files. Never been run so far.
;
; Keepers are processes of outrigger.exe, and agents live as long as their keepers. Windows lets nobody overwrite a program that runs, but
; it may be renamed: keepers go on from the renamed file, new ones start from the new one. The next installation removes what nobody uses any more.

!macro NSIS_HOOK_PREINSTALL
  Delete "$INSTDIR\outrigger-before-*.exe"
  System::Call "kernel32::GetTickCount() i .r0"
  IfFileExists "$INSTDIR\outrigger.exe" 0 +2
    Rename "$INSTDIR\outrigger.exe" "$INSTDIR\outrigger-before-$0.exe"
  ClearErrors
!macroend

; So that `outrigger` is found by the Run dialog and by programs. PATH is left alone: NSIS cuts long values off.
!macro NSIS_HOOK_POSTINSTALL
  WriteRegStr HKCU "Software\Microsoft\Windows\CurrentVersion\App Paths\outrigger.exe" "" "$INSTDIR\outrigger.exe"
!macroend

!macro NSIS_HOOK_PREUNINSTALL
  DeleteRegKey HKCU "Software\Microsoft\Windows\CurrentVersion\App Paths\outrigger.exe"
!macroend

; One that a keeper still uses goes when the computer starts next.
!macro NSIS_HOOK_POSTUNINSTALL
  Delete /REBOOTOK "$INSTDIR\outrigger-before-*.exe"
!macroend

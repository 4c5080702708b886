"""`python -m imgsync.relay`."""

from imgsync.commands.signals import leave_on_ctrl_c, leave_with

if __name__ == "__main__":
    leave_on_ctrl_c()
    from imgsync.commands.relay.main import main

    leave_with(main())

"""`python -m imgsync.client`."""

from imgsync.commands.signals import leave_on_ctrl_c, leave_with

if __name__ == "__main__":
    leave_on_ctrl_c()
    from imgsync.commands.client.main import main

    leave_with(main())

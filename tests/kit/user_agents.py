"""What browsers, and windows of other programs, say that they are: as seen in the field."""

_IPHONE = "Mozilla/5.0 (iPhone; CPU iPhone OS {}) AppleWebKit/605.1.15 (KHTML, like Gecko) "
_IPHONE_15 = _IPHONE.format("15_4_1 like Mac OS X")
_IPHONE_18 = _IPHONE.format("18_5 like Mac OS X")
_IPAD = "Mozilla/5.0 (iPad; CPU OS 16_1 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) "
_MAC = "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) "
_WINDOW = (
    "Mozilla/5.0 (Linux; Android 12; SM-G988N Build/SP1A.210812.016; wv) AppleWebKit/537.36 "
    "(KHTML, like Gecko) Version/4.0 Chrome/110.0.5481.153 Mobile Safari/537.36"
)
_ANDROID = (
    "Mozilla/5.0 (Linux; Android 10; SM-G975U) AppleWebKit/537.36 (KHTML, like Gecko) "
    "{}Chrome/110.0.5481.153 Mobile {}Safari/537.36"
)
_DESKTOP = (
    "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/537.36 (KHTML, like Gecko) "
    "{}Chrome/127.0.6533.72 {}Safari/537.36"
)

PROGRAMS = {
    "Messenger": (
        f"{_IPHONE_18}Mobile/15E148 [FBAN/MessengerForiOS;FBAV/466.0.0.41.109;FBBV/615310455]",
        f"{_WINDOW} [FB_IAB/MESSENGER;FBAV/442.0.0.42.110;]",
        f"{_WINDOW} [FB_IAB/Orca-Android;FBAV/442.0.0.42.110;]",
    ),
    "Facebook": (
        f"{_WINDOW} [FB_IAB/FB4A;FBAV/35.0.0.48.273;]",
        f"{_IPHONE_15}Mobile/14E304 [FBAN/FBIOS;FBAV/91.0.0.41.73;FBBV/57050710;FBDV/iPhone8,1]",
    ),
    "Instagram": (
        f"{_IPHONE_15}Mobile/15E148 Instagram 142.0.0.22.109 (iPhone12,5; iOS 14_1; en_US)",
        f"{_WINDOW} Instagram 345.0.0.0.10 Android (34/14; 450dpi; 1080x2316; samsung)",
    ),
    "Threads": (f"{_IPHONE_18}Mobile/15E148 Barcelona 289.0.0.26.109 (iPhone15,3; iOS 17_5)",),
    "WhatsApp": (f"{_IPHONE_18}Mobile/15E148 WAiOS/2.25.20", f"{_WINDOW} WhatsApp/2.23.20 A"),
    "LINE": (
        f"{_WINDOW} Line/6.5.1/IAB",
        f"{_IPHONE_15}Mobile/15D100 Safari Line/8.4.1",
    ),
    "WeChat": (
        f"{_WINDOW} MicroMessenger/8.0.42.2460(0x28002A35) WeChat/arm64 NetType/WIFI",
        f"{_IPHONE_18}Mobile/15E148 MicroMessenger/8.0.50(0x18003237) NetType/4G Language/en",
    ),
    "QQ": (f"{_IPHONE_15}Mobile/14A456 QQ/6.5.3.410 V1_IPH_SQ_6.5.3_1_APP_A NetType/WIFI",),
    "TikTok": (
        f"{_IPHONE_18}Mobile/15E148 Safari/604.1 trill_43.0.0 BytedanceWebview/d8a21c6",
        f"{_WINDOW} musical_ly_2022803040 JsSdk/1.0 AppName/musical_ly BytedanceWebview/d8a21c6",
        f"{_WINDOW} Channel/release AppName/ultralite app_version/27.2.3 ByteLocale/id-ID",
    ),
    "LinkedIn": (f"{_IPHONE_15}Mobile/15E148 [LinkedInApp]", f"{_WINDOW} [LinkedInApp]/4.1.1010"),
    "Snapchat": (
        f"{_IPHONE_18}Version/16.0 Mobile/15E148 Snapchat/12.33.0.36 (like Safari/8614.1.25.0.31)",
    ),
    "X": (f"{_WINDOW} TwitterAndroid", f"{_IPAD}Mobile/19H12 Twitter for iPhone/10.34"),
    "Telegram": (f"{_WINDOW} Telegram-Android/10.9.1 (Samsung SM-G988N; Android 12; SDK 31)",),
    "KakaoTalk": (
        f"{_WINDOW};KAKAOTALK 2409760",
        f"{_IPHONE_15}Mobile/15E148 BizWebView KAKAOTALK 9.7.6",
    ),
    "Zalo": (f"{_IPHONE_15}Zalo/20.05.01 Mobile/15E148", f"{_WINDOW} Zalo/20.04.02.r1"),
    "NAVER": (
        f"{_IPHONE_15}Version/13.0 Mobile/15E148 Safari/605.1 NAVER(inapp; search; 720; 10.25.0)",
    ),
    "Teams": (
        f"{_IPHONE_18}Mobile/15E148 TeamsMobile-iOS",
        f"{_WINDOW} TeamsMobile-Android",
        _DESKTOP.format("Teams/1.8.00.3758 ", "Electron/31.7.7 "),
    ),
    "Slack": (_DESKTOP.format("Slack/4.39.90 ", "Electron/13.1.9 "),),
    "Discord": (_DESKTOP.format("discord/0.0.26 ", "Electron/22.3.2 "),),
    "BlueMail": (f"{_IPHONE_15}Mobile/16A405 BlueMail iOS",),
    "Thunderbird": ("Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Thunderbird/128.0",),
    "Yahoo": (f"{_WINDOW} YJApp-ANDROID jp.co.yahoo.android.yjtop/3.187.0",),
    "Google": (f"{_IPHONE_15}GSA/30.1.161623614 Mobile/14F89 Safari/602.1",),
    "": (
        _WINDOW,
        f"{_IPHONE_18}Mobile/15E148",
        f"{_IPHONE_15}Mobile/15E148 Klarna/23.36.223",
        f"{_WINDOW} Flipboard/4.1.13/4342,4.1.13.4342",
        f"{_MAC}Sparrow/1043.1",
        _DESKTOP.format("Mattermost/4.4.0 ", "Electron/6.1.7 "),
    ),
}
"""Windows of programs, by the name of the program, where it has one."""

BROWSERS = (
    _ANDROID.format("", ""),
    _ANDROID.format("SamsungBrowser/23.0 ", ""),
    _ANDROID.format("Version/4.0 ", "DuckDuckGo/5 "),
    _ANDROID.format("Version/4.0 Focus/6.1.1 ", ""),
    _ANDROID.format("", "") + " OPT/1.10.33",
    _ANDROID.format("", "") + " EdgA/110.0.1587.63",
    f"{_WINDOW} VivoBrowser/16.7.1.1",
    "Mozilla/5.0 (Android 14; Mobile; rv:130.0) Gecko/130.0 Firefox/130.0",
    f"{_IPHONE_18}Version/18.5 Mobile/15E148 Safari/604.1",
    f"{_IPHONE_18}CriOS/129.0.6668.69 Mobile/15E148 Safari/604.1",
    f"{_IPHONE_18}FxiOS/130.0 Mobile/15E148 Safari/605.1.15",
    f"{_IPHONE_18}Version/17.0 EdgiOS/129.0.2792.84 Mobile/15E148 Safari/604.1",
    f"{_IPHONE_15}Mobile/14G60 (Ecosia ios@3.0.1.533)",
    f"{_IPAD}Version/16.4 YaBrowser/23.3.3.330 Mobile/15E148 Safari/605.1",
    f"{_MAC}Version/17.4.1 Safari/605.1.1517.4.1 Ddg/17.4.1",
    f"{_MAC}Version/18.0 Safari/605.1.15",
    _DESKTOP.format("", ""),
    _DESKTOP.format("HeadlessChrome/156.0 ", ""),
    "Mozilla/5.0 (X11; Linux x86_64; rv:153.0) Gecko/20100101 Firefox/153.0",
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) "
    "Chrome/129.0.0.0 Safari/537.36 Edg/129.0.0.0",
    "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.0 "
    "Safari/605.1.15",
)
"""Those that are opened by themselves."""

"""Django writes 22:30 as '22 10 30' in Canadian French: the letter h of its formats is a format character."""

TIME_FORMAT = "G\xa0\\h\xa0i"  # 13 h 40
DATETIME_FORMAT = "j F Y, G\xa0\\h\xa0i"
SHORT_DATETIME_FORMAT = "Y-m-d G\xa0\\h\xa0i"
